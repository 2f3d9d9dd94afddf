"""The real tools against a server of ours; run by ``make test-tools``, not by ``make test``."""
