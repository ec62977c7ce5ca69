"""What 30 versions of a GeoPackage with ten edits each cost in the two engines of backups: bytes and seconds.

Every version becomes a set of its own. Ratios are to the bytes of all versions together.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backup_world import keep_set, store_in
from qfc.drivers.backups.keys import FileBackupKeys
from qfc.drivers.backups.restic import ResticBackupStore
from qfc.drivers.backups.restic_program import Restic
from qfc.stack.ports import BackupStore

ROW = 1000
EDITS = 10


def geopackage(path: Path, megabytes: int) -> None:
    """Write a file as GeoPackages are: rows with geometries that do not compress well, and words that do."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table points (fid integer primary key, geom blob, name text)")
        rows = (
            (random.randbytes(ROW // 2), "the same words again " * (ROW // 2 // 21)) for _ in range(megabytes * 1000)
        )
        database.executemany("insert into points (geom, name) values (?, ?)", rows)


def edit(path: Path) -> None:
    """Change some rows anywhere, as people in the field do."""
    with closing(sqlite3.connect(path)) as database, database:
        [count] = database.execute("select count(*) from points").fetchone()
        for fid in random.sample(range(1, count + 1), EDITS):
            database.execute("update points set geom = ? where fid = ?", (random.randbytes(ROW // 2), fid))


def measure(store: BackupStore, make: Callable[[], bytes], versions: int) -> float:
    """Keep a set of each version; return the seconds."""
    seconds = 0.0
    for number in range(versions):
        content = make()
        began = time.perf_counter()
        keep_set(store, {"data.gpkg": content}, age=timedelta(days=versions - number))
        seconds += time.perf_counter() - began
    return seconds


def size_of(folder: Path) -> int:
    """Return the bytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def restic_in(folder: Path) -> ResticBackupStore:
    """Return a store in a new repository."""
    keys = FileBackupKeys(folder / "key")
    keys.create()
    return ResticBackupStore(
        Restic(str(folder / "repository"), "bench", folder / "own", keys.identity, {}), keys, folder
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=30)
    parser.add_argument("--megabytes", type=int, default=50, help="of one version")
    parser.add_argument("--short", action="store_true", help="5 versions of 5 MB")
    given = parser.parse_args()
    versions, megabytes = (5, 5) if given.short else (given.versions, given.megabytes)
    if shutil.which("restic") is None:
        raise SystemExit("restic is not installed. Debian has it: apt-get install restic")
    with tempfile.TemporaryDirectory(prefix="qfc-bench-", dir="/tmp") as name:
        folder = Path(name)
        table = Table("engine", "bytes", "× of all versions", "seconds")
        places = {"plain": (store_in(folder / "plain"), folder / "plain"),
                  "restic": (restic_in(folder / "restic"), folder / "restic/repository")}  # fmt: skip
        total = 0
        for engine, (store, place) in places.items():
            random.seed(1)
            path = folder / "data.gpkg"
            path.unlink(missing_ok=True)
            geopackage(path, megabytes)
            total = path.stat().st_size * versions

            def changed(path: Path = path) -> bytes:
                edit(path)
                return path.read_bytes()

            seconds = measure(store, changed, versions)
            stored = size_of(place)
            table.add_row(engine, f"{stored / 1e6:.0f} MB", f"{stored / total:.3f}", f"{seconds:.1f} s")
        table.title = f"{versions} versions of {total / versions / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}"
        Console(width=100).print(table)


if __name__ == "__main__":
    main()
