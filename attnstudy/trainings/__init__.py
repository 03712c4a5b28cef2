"""What can be run: the placements of attention, a user's function, a user's command."""
