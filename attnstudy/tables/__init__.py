"""Tables of results that others made: from text to arms and their runs, or a refusal."""
