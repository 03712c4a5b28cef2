"""Tests of pairs: families, adjustment for them, intervals, and what they decide."""
