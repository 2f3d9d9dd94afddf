"""Bulk tables kept and queried."""
