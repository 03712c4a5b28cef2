"""The words of a ranking: sentence, verdict, advice, notes, flags, letters and numbers."""
