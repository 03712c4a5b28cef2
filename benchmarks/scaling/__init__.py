"""What grows with runs, arms, seeds, epochs, trials and machines, measured."""
