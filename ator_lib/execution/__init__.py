"""One run's life, from admission to completion."""
