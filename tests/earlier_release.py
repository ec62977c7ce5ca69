"""An earlier release of the package in a folder of its own: this one, renumbered, without its last migration."""

from __future__ import annotations

import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
MIGRATIONS = Path("qfc_node/core/migrations")
VERSION = "0.0.9"


def earlier_release(folder: Path) -> Path:
    """Install it; return its Python."""
    shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    package = folder / "src/qfc/__init__.py"
    package.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{VERSION}"', package.read_text()))
    (folder / "src" / MIGRATIONS / last_migration()).unlink()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "earlier.pth").write_text("\n".join([str(folder / "src"), *site.getsitepackages()]))
    return folder / "bin/python"


def last_migration() -> str:
    """Return the file of the newest migration of the node."""
    return max(path.name for path in (SOURCE / MIGRATIONS).glob("[0-9]*.py"))
