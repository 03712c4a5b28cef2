"""What the ranking promises, measured on data of known truth: docs/calibration.md."""
