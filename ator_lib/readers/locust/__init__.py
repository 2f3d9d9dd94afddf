"""Locust: what ``locust --csv`` and ``locust --json-file`` write, in the layouts of all its versions."""
