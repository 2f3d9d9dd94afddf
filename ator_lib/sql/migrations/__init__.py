"""Alembic's scripts: ``env.py`` and a file per revision in ``versions``."""
