"""Suggestions for mistyped names. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return a further sentence with the name that was probably meant, with a space before it; empty without one."""
    # Needed only after a mistake.
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(typed.casefold(), by_folded, n=1)
    return f" Did you mean {by_folded[found[0]]}?" if found else ""
