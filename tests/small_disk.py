"""A small separate disk: a tmpfs, which only root may mount."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from requirements import require


@contextmanager
def small_disk(size: str) -> Generator[Path]:
    """Mount an empty disk of that size (for example `1m`) in a folder with a short path, until the block ends."""
    require("root", os.geteuid() == 0, "only root mounts a disk")
    folder = Path(tempfile.mkdtemp(prefix="qfc-disk-", dir="/tmp"))
    try:
        argv = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "qfc-test", str(folder)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        require("mount", done.returncode == 0, f"no disk can be mounted here: {done.stderr.strip()}")
        yield folder
    finally:
        # A process with an open file there keeps the bytes, but not the mount point.
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Use all the space of a disk; return the file to remove. Other files keep the rest of their last page."""
    path = folder / "all-the-rest"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return path
