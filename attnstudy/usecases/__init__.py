"""What the commands do, each a module or a package that reads from top to bottom."""
