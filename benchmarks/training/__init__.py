"""Training speed beside the notebook's own loop and Lightning."""
