"""What a backup and a restore cost beside `pg_dump`, `pg_restore` and plain copies of the same data.

Fills the database of a stack with jobs and its store with small and large files, then measures each twice, in turns.
Ratios are to the plain way in the same run; the plain way neither compresses, encrypts nor verifies.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from qfc.drivers.postgres_server import locate
from stack import DATABASE, USER, Stack, running_stack

RUNS = 2
#: A photo compresses badly, a GeoPackage well: half of each file is random.
SMALL, LARGE = 20_000, 20_000_000

FILL_PROJECT = """
insert into core_project (id, name, description, created_at, updated_at, owner_id, overwrite_conflicts, is_public,
                          thumbnail_uri, repackaging_cache_expire, file_storage_bytes, packaging_offliner,
                          has_restricted_projectfiles)
select gen_random_uuid(), 'survey', '', now(), now(), id, true, false, '', '60 min', 0, 'pythonmini', false
from core_user limit 1
"""
FILL_FILES = """
insert into filestorage_file (project_id, name, file_type, created_at)
values (%(project)s, %(name)s, 1, now())
"""
FILL_VERSIONS = """
insert into filestorage_fileversion (id, file_id, content, etag, md5sum, sha256sum, size, uploaded_at, created_at)
select gen_random_uuid(), f.id, %(key)s::text, md5(%(key)s::text), decode(md5(%(key)s::text), 'hex'),
       decode(%(key)s::text, 'hex'), %(size)s, now(), now()
from filestorage_file f where f.name = %(name)s
"""
FILL_JOBS = """
insert into core_job (id, created_at, updated_at, project_id, type, status, created_by_id, output, feedback, started_at,
                      finished_at, container_id)
select gen_random_uuid(), now(), now(), p.id, 'package', 'finished', p.owner_id, repeat(md5(n::text), 10), '{}', now(),
       now(), ''
from core_project p, generate_series(1, %(jobs)s::int) n
"""


@dataclass
class Figure:
    """One measurement: the seconds of each run, what they are compared with, and the peak of memory in MiB."""

    name: str
    seconds: list[float] = field(default_factory=list)
    against: Figure | None = None
    target: str = ""
    peak: float = 0

    @property
    def row(self) -> tuple[str, ...]:
        """Its row in the table: the best run counts, since others share the machine."""
        best = min(self.seconds)
        ratio = f"{best / min(self.against.seconds):.2f}" if self.against else ""
        return self.name, f"{best:.2f} s", ratio, self.target, f"{self.peak:.0f} MiB" if self.peak else ""


class World:
    """A stack with files and jobs, and a plain copy of it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.blobs = stack.home / "test/node/blobs"
        self.dump, self.copy = folder / "plain.dump", folder / "plain"
        self._numbers = iter(range(1, 10**9))
        stack.qfc("users", "create", "anna", "--generate")
        with stack.database() as connection:
            connection.execute(FILL_PROJECT)

    def fill(self, small: int, large: int, jobs: int) -> None:
        """Add files and jobs."""
        sizes = [SMALL] * small + [LARGE] * large
        with self.stack.database() as connection:
            row = connection.execute("select id from core_project").fetchone()
            assert row is not None
            for size in sizes:
                name = f"f{next(self._numbers)}"
                key = self._blob(size)
                connection.execute(FILL_FILES, {"project": row[0], "name": name})
                connection.execute(FILL_VERSIONS, {"key": key, "size": size, "name": name})
            connection.execute(FILL_JOBS, {"jobs": jobs})

    def _blob(self, size: int) -> str:
        content = random.randbytes(size // 2) + b"the same words again and again, " * (size // 2 // 32)
        content += bytes(size - len(content))
        key = hashlib.sha256(content).hexdigest()
        path = self.blobs / key[:2] / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return key

    def plain_backup(self) -> None:
        """Dump and copy."""
        shutil.rmtree(self.copy, ignore_errors=True)
        self._run("pg_dump", "--format=custom", f"--file={self.dump}", DATABASE)
        subprocess.run(["cp", "-r", str(self.blobs), str(self.copy)], check=True)
        os.sync()

    def plain_restore(self) -> None:
        """Restore the dump into another database, and copy the files back to another place."""
        self._run("dropdb", "--if-exists", "plain")
        self._run("createdb", "plain")
        self._run("pg_restore", "--dbname=plain", str(self.dump))
        subprocess.run(["cp", "-r", str(self.copy), str(self.folder / "back")], check=True)
        shutil.rmtree(self.folder / "back")

    def lose_files(self) -> None:
        """Remove all files of the stack's store."""
        shutil.rmtree(self.blobs)

    def _run(self, program: str, *words: str) -> None:
        password = (self.stack.home / "test/secrets/POSTGRES_PASSWORD").read_text().strip()
        host = str(self.stack.home / "test/run/db")
        environment = {**os.environ, "PGHOST": host, "PGUSER": USER, "PGPASSWORD": password}
        subprocess.run([locate().program(program), *words], env=environment, check=True)

    def qfc(self, *words: str) -> float:
        """Call qfc; return its peak of memory in MiB."""
        argv = [sys.executable, "-m", "qfc.cli.main", "--quiet", "--yes", *words]
        pid = os.posix_spawn(sys.executable, argv, self.stack.environment)
        _, status, usage = os.wait4(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, words
        return usage.ru_maxrss / 1024


def timed(figure: Figure, act: Callable[[], float | None]) -> None:
    """Measure one run."""
    began = time.perf_counter()
    peak = act()
    figure.seconds.append(time.perf_counter() - began)
    figure.peak = max(figure.peak, peak or 0)


def measure(world: World, small: int, large: int) -> list[Figure]:
    """Measure everything, in turns."""
    plain, plain_back = Figure("pg_dump, copy of the files"), Figure("pg_restore, copy of the files")
    full = Figure("db backup, the first", against=plain, target="≤ 1.3")
    again = Figure("db backup after 1 % of change", against=full, target="≤ 0.1 and the verification of the dump")
    back = Figure("db restore of everything, without safety set", against=plain_back, target="≤ 1.3 and the restart")
    drill = Figure("db drill", target="< 20 s for the demo")
    for _ in range(RUNS):
        shutil.rmtree(world.stack.home / "backups", ignore_errors=True)
        timed(plain, world.plain_backup)
        timed(full, lambda: world.qfc("db", "backup"))
        world.fill(max(1, small // 100), max(0, large // 100), 10)
        timed(again, lambda: world.qfc("db", "backup"))
        timed(plain_back, world.plain_restore)
        world.lose_files()
        timed(back, lambda: world.qfc("db", "restore", "--no-safety-set"))
    timed(drill, lambda: world.qfc("db", "drill"))
    return [plain, full, again, plain_back, back, drill]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=2000, help="files of 20 kB")
    parser.add_argument("--large", type=int, default=20, help="files of 20 MB")
    parser.add_argument("--jobs", type=int, default=50_000, help="rows of jobs")
    given = parser.parse_args()
    random.seed(1)
    with running_stack(workers=1) as stack, tempfile.TemporaryDirectory(prefix="qfc-bench-", dir="/tmp") as folder:
        world = World(stack, Path(folder))
        world.fill(given.small, given.large, given.jobs)
        figures = measure(world, given.small, given.large)
    title = f"{given.small} × 20 kB, {given.large} × 20 MB, {given.jobs} jobs; load {os.getloadavg()[0]:.1f}"
    table = Table("what", "best", "×", "target", "peak", title=title)
    for figure in figures:
        table.add_row(*figure.row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
