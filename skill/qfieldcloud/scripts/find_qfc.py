#!/usr/bin/env python3
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
        sys.exit(f"{script} needs qfc, which is not installed.\nType: pipx install {PACKAGE}")
    os.execvp(command[0], [*command, "skill", "run", script, "--", *sys.argv[1:]])


if __name__ == "__main__":
    call(sys.argv.pop(1))
