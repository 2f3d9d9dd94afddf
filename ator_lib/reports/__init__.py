"""Notebooks executed and turned into reports."""
