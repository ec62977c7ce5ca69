"""The page of what is looked for by `sync diagnose` and `doctor`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from qfc.checks import ADVISORY, EVERYTHING, FOR_SYNC, Check
from qfc.checks.launching import LaunchCheck

from .markdown import table

HEAD = """# What a diagnosis looks for

{note}

`qfc sync diagnose` looks for what keeps a sync from coming to its end, and then does what a device does: a small
project goes up, a worker describes and packages it, the package comes down, an edit is applied. `qfc doctor` looks at
everything. How to read them: [diagnose and repair](../howto/diagnose.md). {checks} checks know {problems} problems of a
collection of what operators really met. A check's id begins with the problem's; others that it knows stand below it.

*Repair* is what `--fix` does: `safe` at once, `ask` after a question or `--yes`, with what it would change, `no` is for
you. *Test* is where the fault is made and found.
"""

#: Problems that no single check knows: what answers them instead.
OTHERWISE: Mapping[str, str] = {
    "A04": "Nothing is wrong when `/` is answered 404: official releases have no pages of their own but the admin's",
    "C03, G02, G11": "The proof: every byte of a file, of a package and of its list is compared",
    "E07": "See F04 and H02: a layer that is no external database any more, or a plan that does not allow one",
    "H04": "`qfc users list`, `qfc projects list`, `qfc services disk` tell who uses how much",
    "I07": "`qfc deploy` and `qfc workers drain` let jobs finish, and hold writers off meanwhile",
}


def checks_page(note: str, root: Path) -> str:
    """Return the page."""
    paths = [path for path in sorted((root / "tests").rglob("*.py")) if "twins" not in path.parts]
    tests = {path: path.read_text(encoding="utf-8") for path in paths}
    known = {problem for check in EVERYTHING for problem in check.known_as()}
    parts = {"sync diagnose, doctor": FOR_SYNC, "doctor alone": ADVISORY}
    sections = [f"## {title}\n\n{_table(checks, tests)}" for title, checks in parts.items()]
    head = HEAD.format(note=note, checks=len(EVERYTHING), problems=len(known)).strip()
    otherwise = table(("problem", "what answers it"), [(f"`{id}`", answer) for id, answer in OTHERWISE.items()])
    return "\n\n".join((head, *sections, f"## Answered otherwise\n\n{otherwise}"))


def tests_of(check: Check, tests: Mapping[Path, str]) -> list[str]:
    """Return the names of the tests that name a check."""
    return [path.stem for path, text in tests.items() if f'"{check.id}"' in text]


def _table(checks: tuple[Check, ...], tests: Mapping[Path, str]) -> str:
    rows = [
        (
            _id(one),
            one.title,
            _looked_at(one),
            one.severity.value,
            one.auto.value,
            one.fix,
            ", ".join(tests_of(one, tests)),
        )
        for one in checks
    ]
    return table(("id", "problem", "what is looked at", "severity", "repair", "what to do", "test"), rows)


def _id(check: Check) -> str:
    others = [problem for problem in check.known_as() if not check.id.startswith(problem)]
    return f"`{check.id}`" + (f"<br>{', '.join(others)}" if others else "")


def _looked_at(check: Check) -> str:
    look = check.problem if isinstance(check, LaunchCheck) else check.look
    said = inspect.cleandoc(look.__doc__ or "").split("\n")[0]
    return said.removesuffix(".")
