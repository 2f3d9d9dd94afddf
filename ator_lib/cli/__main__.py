"""``python -m ator_lib.cli``."""

from ator_lib.cli import main

main()
