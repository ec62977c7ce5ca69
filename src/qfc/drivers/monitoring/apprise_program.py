"""Sends one message by Apprise. It comes as JSON on standard input, so that no address is in a list of processes."""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> int:
    """Return 0 if the message was sent, 1 if not, 2 for an address that Apprise does not know, 3 without Apprise."""
    try:
        import apprise
    except ImportError:
        return 3
    letter: dict[str, Any] = json.load(sys.stdin)
    sender: Any = apprise.Apprise()
    if not sender.add(letter["address"]):
        return 2
    return 0 if sender.notify(title=letter["title"], body=letter["body"], notify_type=letter["kind"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
