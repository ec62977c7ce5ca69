"""The page of all checks of `sync diagnose` and `doctor`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path

from qfc.checks import ADVISORY, EVERYTHING, FOR_SYNC, Check
from qfc.checks.launching import LaunchCheck

from .markdown import table

HEAD = """# Checks of a diagnosis

{note}

`qfc sync diagnose` checks for everything that keeps a synchronisation from finishing. Then it does what a device does:
it uploads a small project, a worker processes and packages it, it downloads the package, and an edit is applied.
`qfc doctor` runs all checks. How to read the answer: [diagnose and repair](../howto/diagnose.md).

{checks} checks find {problems} problems that operators have really met. A check's id begins with the id of its problem;
other problems that it finds are listed below the id.

*Repair* is what `--fix` does: `safe` repairs at once; `ask` shows the change and asks, unless you add `--yes`; `no` is
left to you. *Test* names the tests that cause the fault and find it.
"""

#: Problems without a check of their own, and where the answer to them is.
OTHERWISE: Mapping[str, str] = {
    "A04": "Not a fault: official releases have no pages but the admin's; before v25.28, `/` is 404",
    "C03, G02, G11": "The proof: every byte of a file, of a package and of its list is compared",
    "E07": "See F04 and H02: a layer that is no longer an external database, or a plan that does not allow one",
    "H04": "`qfc users list`, `qfc projects list` and `qfc services disk` show who uses how much",
    "I07": "`qfc deploy` and `qfc workers drain` let jobs finish; `qfc deploy` also blocks writes meanwhile",
}


def checks_page(note: str, root: Path) -> str:
    """Return the page."""
    paths = [path for path in sorted((root / "tests").rglob("*.py")) if "twins" not in path.parts]
    tests = {path: path.read_text(encoding="utf-8") for path in paths}
    known = {problem for check in EVERYTHING for problem in check.known_as()}
    parts = {"sync diagnose, doctor": FOR_SYNC, "doctor alone": ADVISORY}
    sections = [f"## {title}\n\n{_table(checks, tests)}" for title, checks in parts.items()]
    head = HEAD.format(note=note, checks=len(EVERYTHING), problems=len(known)).strip()
    otherwise = table(("problem", "answer"), [(f"`{id}`", answer) for id, answer in OTHERWISE.items()])
    return "\n\n".join((head, *sections, f"## Problems without a check of their own\n\n{otherwise}"))


def tests_of(check: Check, tests: Mapping[Path, str]) -> list[str]:
    """Return the names of the tests that mention a check."""
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
    return table(("id", "problem", "what is checked", "severity", "repair", "what to do", "test"), rows)


def _id(check: Check) -> str:
    others = [problem for problem in check.known_as() if not check.id.startswith(problem)]
    return f"`{check.id}`" + (f"<br>{', '.join(others)}" if others else "")


def _looked_at(check: Check) -> str:
    look = check.problem if isinstance(check, LaunchCheck) else check.look
    said = inspect.cleandoc(look.__doc__ or "").split("\n")[0]
    return said.removesuffix(".")
