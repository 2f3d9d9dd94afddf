"""A small real target API and the demo scenario."""
