"""vegeta: what ``vegeta attack`` and ``vegeta encode`` write, in all of its three encodings."""
