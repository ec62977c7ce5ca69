"""`python -m qfc_node.settings_check`: read the settings and say what is wrong with them; nothing is started."""

from __future__ import annotations

import sys

from .environment import SettingsError

#: The exit code for settings that are wrong.
WRONG = 3


def main() -> int:
    """Read all settings; print the first mistake."""
    try:
        from . import settings
        from .serving.limits import Limits
        from .serving.proxies import trusted_proxies

        del settings
        Limits.from_environment()
        trusted_proxies()
    except SettingsError as error:
        sys.stdout.write(f"{error}\n")
        return WRONG
    return 0


if __name__ == "__main__":
    sys.exit(main())
