"""``attnstudy tune``: searching the hyperparameters of each arm, without test data."""
