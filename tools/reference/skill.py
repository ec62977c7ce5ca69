"""The parts of the skill that come from the code: its scripts, the issues with their commands, the references."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qfc.checks import EVERYTHING, Check
from qfc.checks.base import Auto, Severity
from qfc.skill.scripts import SCRIPTS, Script

from .markdown import table

#: The pages of docs/reference that an agent may need.
REFERENCES = ("commands.md", "checks.md", "configuration.md")
ISSUES = """# Known issues: symptom → command

*Generated from the code by `tools/make_reference.py`.*

First look, change nothing: `qfc status`, then `qfc doctor --no-proof`. A finding's id is the one in this list. What can
be repaired at once is repaired by `qfc doctor --fix`; it asks before everything else (`--yes` answers; read the plan
of `qfc doctor --fix --dry-run` first). Repeat `qfc doctor` until it finds nothing critical.
"""
HEADS = {
    Severity.CRITICAL: "Critical: synchronisation or data are at stake",
    Severity.WARNING: "Warnings",
    Severity.INFO: "Good to know",
}
REPAIRS = {
    Auto.SAFE: "`qfc doctor --fix` repairs it at once",
    Auto.ASK: "`qfc doctor --fix` shows the change and asks",
    Auto.NO: "by hand",
}
PYTHON = '''#!/usr/bin/env python3
"""{text} Calls `{calls}`; see --help."""

from find_qfc import call

call("{name}")
'''
SHELL = """#!/bin/sh
# {text} Calls `{calls}`; see --help.
exec python3 "$(dirname "$0")/find_qfc.py" {name} "$@"
"""
FIND = '''#!/usr/bin/env python3
"""Finds `qfc` and lets it do what a script of the skill is for: `find_qfc.py SCRIPT [FLAGS]`."""

import os
import shutil
import sys
from pathlib import Path

PACKAGE = "qfieldcloud-suite"


def found():
    """Return the command line of `qfc`: of the clone that the skill is in, on PATH, or run by uvx or pipx."""
    for folder in Path(__file__).resolve().parents:
        beside = folder / ".venv/bin/qfc"
        if beside.is_file():
            return [str(beside)]
    runners = {"qfc": [], "uvx": ["--from", PACKAGE, "qfc"], "pipx": ["run", "--spec", PACKAGE, "qfc"]}
    for program, words in runners.items():
        if shutil.which(program):
            return [program, *words]
    return None


def call(script):
    """Become `qfc`; never returns."""
    command = found()
    if command is None:
        sys.exit(f"{script} needs qfc, which is not installed.\\nType: pipx install {PACKAGE}")
    os.execvp(command[0], [*command, "skill", "run", script, "--", *sys.argv[1:]])


if __name__ == "__main__":
    call(sys.argv.pop(1))
'''


def skill_pages(reference: Mapping[str, str]) -> Mapping[str, str]:
    """Return the files by their path in the skill; `reference` are the pages of docs/reference."""
    return {
        "CRITICAL_ISSUES.md": issues_page(),
        **{f"references/{name}": _without_links(reference[name]).strip() + "\n" for name in REFERENCES},
        **{f"scripts/{one.name}": script_file(one) for one in SCRIPTS},
        "scripts/find_qfc.py": FIND,
    }


def script_file(script: Script) -> str:
    """Return the script: a few lines that call `qfc`."""
    form = SHELL if script.name.endswith(".sh") else PYTHON
    return form.format(name=script.name, text=script.text, calls=_calls(script))


def issues_page() -> str:
    """Return every problem that a check finds, the critical ones first."""
    parts = [ISSUES]
    for severity, head in HEADS.items():
        checks = [one for one in EVERYTHING if one.severity is severity]
        parts.append(f"## {head}\n\n{table(('id', 'symptom', 'what to do', 'repair'), map(_row, checks))}\n")
    return "\n".join(parts)


def _row(check: Check) -> tuple[str, ...]:
    return (f"`{check.id}`", check.title, check.fix, REPAIRS[check.auto])


def _calls(script: Script) -> str:
    selected = [flag.command for flag in script.flags if flag.command]
    commands = [*([script.command] if script.command else []), *script.actions.values(), *selected]
    return f"qfc {' '.join(commands[0])}" if len(commands) == 1 else f"qfc {commands[0][0]} …"


def _without_links(text: str) -> str:
    """Return a page whose links to pages that the skill does not have are plain words."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
