"""The application's list of migrations, as it prints it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

#: Django's name for a migration that replaces several: `0001_squashed_0004_name` replaces those from 1 to 4.
_SQUASHED = re.compile(r"(?P<first>\d+)_squashed_(?P<last>\d+)(?:_|$)")
_NUMBER = re.compile(r"\d+")


def planned(printed: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all migrations in the output of `showmigrations --plan`, and those that the database lacks."""
    lines = [line.strip() for line in printed.splitlines()]
    marked = [(line[:3], line[3:].split()[0]) for line in lines if line.startswith(("[X]", "[ ]"))]
    return tuple(name for _, name in marked), tuple(name for mark, name in marked if mark == "[ ]")


def not_in_release(applied: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the applied migrations that a release, which knows `known`, lacks.

    The plan of a release names only the squashed migration, while the database also has rows of those that it replaces:
    these are known. Apps that the release no longer has do not count.
    """
    apps = {name.partition(".")[0] for name in known}
    replaced = [_replaced(name) for name in known]
    return tuple(
        name
        for name in applied
        if name not in known
        and name.partition(".")[0] in apps
        and not any(_number(name) in numbers for app, numbers in replaced if app == name.partition(".")[0])
    )


def not_applied(applied: Collection[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return the migrations of a release that the database lacks. One whose replaced ones are all there is none."""
    rows = [(name.partition(".")[0], _number(name)) for name in applied]
    return tuple(
        name
        for name in known
        if name not in applied and not _is_replaced_whole(_replaced(name), {n for app, n in rows if app == _app(name)})
    )


def _is_replaced_whole(replaced: tuple[str, range], numbers: Collection[int]) -> bool:
    return bool(replaced[1]) and set(replaced[1]) <= set(numbers)


def _app(name: str) -> str:
    return name.partition(".")[0]


def _replaced(name: str) -> tuple[str, range]:
    """Return the app of a migration, and the numbers of the migrations that it replaces."""
    app, _, own = name.partition(".")
    squashed = _SQUASHED.match(own)
    return app, range(int(squashed["first"]), int(squashed["last"]) + 1) if squashed else range(0)


def _number(name: str) -> int:
    found = _NUMBER.match(name.partition(".")[2])
    return int(found[0]) if found else -1
