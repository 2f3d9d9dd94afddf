"""Runs and their lives: admission, leases, history."""
