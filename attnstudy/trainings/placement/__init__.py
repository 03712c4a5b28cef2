"""The training that is built in: a small CNN, and where attention sits in it."""
