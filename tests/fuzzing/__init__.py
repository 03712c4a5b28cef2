"""Tables with a known truth in random layouts: they are read as the truth, or refused."""
