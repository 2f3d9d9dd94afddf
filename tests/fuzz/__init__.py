"""Recorded results, damaged in all the ways that files get damaged, are taken in or refused: ``make fuzz``."""
