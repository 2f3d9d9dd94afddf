"""Artillery: what ``artillery run --output`` writes, of its versions 1 and 2."""
