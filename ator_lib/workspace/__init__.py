"""The one place where the rooms meet, and the handles that users hold."""
