"""k6: its points as JSON and as CSV, and its summary at the end of a run."""
