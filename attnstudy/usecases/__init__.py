"""The stories: run, rank, status, sync, doctor; each a module that reads from top to bottom."""
