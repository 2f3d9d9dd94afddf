"""Gates: what a run must hold, read from a file, and whether it does."""
