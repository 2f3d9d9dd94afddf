"""The REST API: a file per noun, put together in ``doors``."""
