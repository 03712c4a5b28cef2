"""What stands beside the tests: power, effects, tests without assumptions, new images."""
