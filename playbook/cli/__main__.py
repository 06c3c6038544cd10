"""``python -m playbook.cli``."""

from . import main

main()
