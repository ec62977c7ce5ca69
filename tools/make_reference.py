#!/usr/bin/env python
"""Generate the pages of docs/reference that come from the code: checks, commands, configuration, drivers of GDAL,
errors, faults of the lab, releases; the man page; and the parts of the skill that come from the code.

Type: .venv/bin/python tools/make_reference.py            to write them
      .venv/bin/python tools/make_reference.py --check    to check that they are current (exit code 1 if not)
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/reference"
SKILL = ROOT / "skill/qfieldcloud"
NOTE = "*Generated from the code by `tools/make_reference.py`. Edit the code and run that, not this page.*"


def pages() -> Mapping[Path, str]:
    """Return the content that each page should have."""
    sys.path.insert(0, str(ROOT / "tools"))
    from reference.checks import checks_page
    from reference.commands import commands_page
    from reference.configuration import configuration_page
    from reference.drivers import drivers_page
    from reference.errors import errors_page
    from reference.lab import lab_page
    from reference.man import man_page
    from reference.releases import releases_page
    from reference.skill import skill_pages

    texts = {
        "checks.md": checks_page(NOTE, ROOT),
        "commands.md": commands_page(NOTE),
        "configuration.md": configuration_page(NOTE, ROOT),
        "drivers.md": drivers_page(NOTE),
        "errors.md": errors_page(NOTE),
        "lab.md": lab_page(NOTE),
        "qfc.1": man_page(),
        "releases.md": releases_page(NOTE, ROOT),
    }
    reference = {FOLDER / name: text.strip() + "\n" for name, text in texts.items()}
    return {**reference, **{SKILL / name: text for name, text in skill_pages(texts).items()}}


def outdated() -> list[Path]:
    """Return the pages that are missing or differ from the code."""
    return [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    old = outdated()
    for path in old:
        print(f"{'outdated' if '--check' in arguments else 'written'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages()[path], encoding="utf-8")
            path.chmod(0o755 if path.parent.name == "scripts" else 0o644)
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
