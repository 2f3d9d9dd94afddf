"""Samples that ATOR records inside a load tool's own processes."""
