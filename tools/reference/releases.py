"""The page of what qfc knows of which release of QFieldCloud."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from qfc.drivers.postgres.schema import COLUMNS, TABLES
from qfc.stack import upgrade_stops
from qfc.stack.release_facts import TOLD, facts_of

from .markdown import table

HEAD = """# Releases of QFieldCloud

{note}

Official releases differ. qfc never asks for a version: tags may be missing, and images may be built from changed
files. What holds is told by the deployment's own files, by its database and by its answers. Where these cannot be
read, a check says *unknown*.

## Told by the files

{facts}

In the files that the tests have of some releases:

{found}

## Told by the database

The first name that exists is used. What a release does not store is not asked for.

{names}

## Told by the answers

Recorded on real servers, and read by the tests: {answers}. The login page of the admin is looked for behind all
redirects (v25.28 moved it), the status is judged by database and store alone (v25.25 added notices of the operator).

## Stops on the way to a release

`qfc deploy --dry-run` names those that a change of release would meet, and `doctor` (I06) those that the present files
meet.

{stops}
"""


def releases_page(note: str, root: Path) -> str:
    """Return the page."""
    facts = table(
        ("what holds", "since", "told by"),
        [(what, since, sign) for what, since, sign in TOLD.values()],
    )
    parts = {"found": _found(root), "names": _names(), "answers": _answers(root), "stops": _stops()}
    return HEAD.format(note=note, facts=facts, **parts)


def _found(root: Path) -> str:
    """Return what the files of the tests tell, by release."""
    names = [name for name in TOLD if name != "internal_networks"]
    rows: list[tuple[str, ...]] = []
    for release, text in _texts(root).items():
        facts = facts_of(text)
        assert facts is not None
        rows.append((release, *("yes" if asdict(facts)[name] else "" for name in names)))
    return table(("release", *(f"`{name}`" for name in names)), rows)


def _texts(root: Path) -> Mapping[str, str]:
    """Return the files of each release, the oldest first."""
    folder = root / "tests/releases"
    names = sorted({path.name.partition(".")[0] for path in folder.glob("*.yml")})
    whole = {
        name: "\n".join(one.read_text(encoding="utf-8") for one in sorted(folder.glob(f"{name}*.yml")))
        for name in names
    }
    return {**whole, **_variants(root)}


def _variants(root: Path) -> Mapping[str, str]:
    """Return the files of the tests' variants of releases."""
    import sys

    sys.path.insert(0, str(root / "tests"))
    from release_variants import VARIANTS

    return {name: "\n".join(one.files().values()) for name, one in VARIANTS.items()}


def _answers(root: Path) -> str:
    """Return the names of the recorded answers."""
    found = sorted(path.stem for path in (root / "tests/releases/answers").glob("20*.json"))
    return ", ".join(f"`{name}`" for name in found)


def _names() -> str:
    tables = [
        (f"table of {ours.replace('_', ' ')}s", " · ".join(f"`{one}`" for one in names))
        for ours, names in TABLES.items()
        if len(names) > 1
    ]
    columns = [
        (f"column {ours.replace('_', ' ')} of {table_name}s", " · ".join(f"`{one}`" for one in names))
        for ours, (_, table_name, names, _) in COLUMNS.items()
        if len(names) > 1
    ]
    return table(("what", "names, the newest first"), [*tables, *columns])


def _stops() -> str:
    rows = [
        (", ".join(f"`{id}`" for id in _ids(rule.__name__)), inspect.getdoc(rule) or "") for rule in upgrade_stops.RULES
    ]
    return table(("id", "stop"), rows)


def _ids(name: str) -> Iterator[str]:
    """Yield the ids that a rule can report, from its code."""
    module = ast.parse(inspect.getsource(upgrade_stops))
    (function,) = [one for one in module.body if isinstance(one, ast.FunctionDef) and one.name == name]
    texts = (one.value for one in ast.walk(function) if isinstance(one, ast.Constant) and isinstance(one.value, str))
    yield from sorted({text for text in texts if re.fullmatch(r"[A-I]\d\d", text)})
