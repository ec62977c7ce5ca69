"""`python -m qfc_node COMMAND`: the management commands of the node, like `manage.py` in other Django projects."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the management command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qfc_node.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line([f"{sys.executable} -m qfc_node", *sys.argv[1:]])


if __name__ == "__main__":
    main()
