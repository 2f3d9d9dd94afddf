"""The dashboard: pages as Panel Viewers that are handed a Workspace."""
