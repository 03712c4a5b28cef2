"""The three layouts of a table of results: which one it has, and how each is read."""
