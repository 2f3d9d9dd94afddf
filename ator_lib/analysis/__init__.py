"""Small tables in, frozen results out; no I/O."""
