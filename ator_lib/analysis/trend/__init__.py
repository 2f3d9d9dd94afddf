"""Trends: where the level of a metric changed over the history of a test, and what changed there."""
