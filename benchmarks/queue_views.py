"""How long the queue views take with a million jobs.

Starts a PostgreSQL server of the Python wheel, or uses the one that libpq's variables (PGHOST, PGPORT, PGUSER,
PGPASSWORD) name. Creates a database there, migrates it, fills it, measures, and drops it:

    benchmarks/run queue_views [JOBS]

Ratios are to the baseline of the same run: one pass over the table of jobs, which every view must beat.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from qfc.drivers.postgres import PostgresDirectory, PostgresJobStore, connect_to
from qfc.drivers.postgres_server import temporary_server
from qfc.stack.capacity import History, backtest, figures, histogram, last_hours, looks, queue_at_looks
from qfc.stack.model import JobStatus

DATABASE = "qfc_benchmark_queue_views"
RUNS = 5

FILL_PEOPLE = """
insert into core_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined,
                       type)
select '', false, 'person' || n, '', '', 'person' || n || '@localhost', false, true, now(), 1
from generate_series(1, 200) n
"""
FILL_PROJECTS = """
insert into core_project (id, name, description, created_at, updated_at, owner_id, overwrite_conflicts, is_public,
                          thumbnail_uri, repackaging_cache_expire, file_storage_bytes, packaging_offliner,
                          has_restricted_projectfiles)
select gen_random_uuid(), 'project' || row_number() over (), '', now(), now(), u.id, true, false, '', '60 min', 1000,
       'pythonmini', false
from core_user u, generate_series(1, 10) n
"""
#: One job in fifty waits, one in ten failed; all of them ended within the last 24 hours, which is the hardest case.
FILL_JOBS = """
with projects as (select id, owner_id, row_number() over (order by id) - 1 as place from core_project),
numbered as (
    select n, n %% 2000 as place, now() - n * interval '24 hours' / %(jobs)s as at from generate_series(1, %(jobs)s) n
)
insert into core_job (id, created_at, updated_at, project_id, type, status, created_by_id, output, feedback, started_at,
                      finished_at, container_id)
select gen_random_uuid(), at, at, p.id, (array['package', 'delta_apply', 'process_projectfile'])[1 + n %% 3],
       case when n %% 50 = 0 then 'pending' when n < 20 then 'started' when n %% 10 = 1 then 'failed'
            else 'finished' end,
       p.owner_id, repeat('a line of output ', 20),
       jsonb_build_object('error', 'Worker timeout error.', 'error_type', 'TIMEOUT'),
       case when n %% 50 <> 0 then at + interval '1 second' end,
       case when n %% 50 <> 0 then at + (1 + n %% 60) * interval '1 second' end, ''
from numbered join projects p using (place)
"""


def main() -> int:
    """Start a server if none is named, and measure on it; return 1 if a view took longer than a second."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if os.environ.get("PGHOST"):
        return run(jobs)
    with tempfile.TemporaryDirectory(prefix="qfc-b-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with temporary_server(Path(folder)) as endpoint:
            os.environ |= {"PGHOST": endpoint.host, "PGUSER": endpoint.user, "PGPASSWORD": endpoint.password}
            return run(jobs)


def run(jobs: int) -> int:
    """Create the database, measure, drop it."""
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        name = sql.Identifier(DATABASE)
        server.execute(sql.SQL("drop database if exists {}").format(name))
        server.execute(sql.SQL("create database {}").format(name))
        try:
            migrate()
            fill(jobs)
            return measure(jobs)
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(name))


def migrate() -> None:
    """Create the node's tables with its own migrations."""
    with psycopg.connect(dbname=DATABASE) as connection:
        info = connection.info
        node = {"POSTGRES_HOST": info.host, "POSTGRES_PORT": str(info.port), "POSTGRES_USER": info.user}
        node |= {"POSTGRES_PASSWORD": info.password, "POSTGRES_DB": DATABASE, "SECRET_KEY": "benchmark"}
    folder = {"QFC_NODE_DATA": "/nonexistent"}
    subprocess.run(
        [sys.executable, "-m", "qfc_node", "migrate", "-v0"], check=True, env={**os.environ, **node, **folder}
    )


def fill(jobs: int) -> None:
    """Fill the tables as a server would have them after a day."""
    began = time.perf_counter()
    with psycopg.connect(dbname=DATABASE, autocommit=True) as connection:
        connection.execute(FILL_PEOPLE)
        connection.execute(FILL_PROJECTS)
        connection.execute(FILL_JOBS, {"jobs": jobs})
        connection.execute("vacuum analyze")
    print(f"{jobs:,} jobs created in {time.perf_counter() - began:.0f} s")


def measure(jobs: int) -> int:
    """Print times and ratios; return the exit code."""
    connect = connect_to(dbname=DATABASE)
    store, directory = PostgresJobStore(connect), PostgresDirectory(connect)
    day, year = (datetime.now(UTC) - timedelta(days=days) for days in (1.1, 365))
    with connect() as connection:
        baseline = seconds(lambda: connection.execute("select count(*), max(length(output)) from core_job").fetchone())
    print(f"{'baseline: one pass over the table':44} {baseline * 1000:8.1f} ms   1.00")
    views: dict[str, Callable[[], object]] = {
        "status: depth": store.depth,
        "sync queue: snapshot": store.snapshot,
        "sync recent: statistics": lambda: store.statistics(since=day),
        "sync recent --hours 8760: statistics": lambda: store.statistics(since=year),
        "sync recent: jobs": lambda: store.ended(since=day),
        "sync failed: 1000 jobs": lambda: store.ended(since=year, statuses=[JobStatus.FAILED], limit=1000),
        "jobs list": store.jobs,
        "jobs list --status failed": lambda: store.jobs(statuses=[JobStatus.FAILED]),
        "jobs list --status stopped (none)": lambda: store.jobs(statuses=[JobStatus.STOPPED]),
        "projects list": directory.projects,
        "users list": directory.users,
        "db status": directory.database,
    }
    slowest = max(report(name, view, baseline) for name, view in views.items())
    print(f"slowest {slowest:.3f} s; the target is below 1 s with 1,000,000 jobs, measured with {jobs:,}")
    worked = report("capacity report: all of its figures", lambda: capacity(store, day), baseline)
    print("the target of the report is below 5 s")
    store.close()
    directory.close()
    return int(slowest >= 1 or worked >= 5)


def capacity(store: PostgresJobStore, since: datetime) -> None:
    """Read the past as `qfc capacity report` does, and make everything of it that the report shows."""
    history = History(store.worked(since=since), since.timestamp(), time.time())
    figures(history)
    looks(queue_at_looks(history), "jobs")
    last_hours(history)
    histogram(history)
    backtest(history, 4)


def report(name: str, view: Callable[[], object], baseline: float) -> float:
    """Measure one view and print its line."""
    taken = seconds(view)
    print(f"{name:44} {taken * 1000:8.1f} ms {taken / baseline:6.2f}")
    return taken


def seconds(view: Callable[[], object]) -> float:
    """Return the median of a few runs."""
    times: list[float] = []
    for _ in range(RUNS):
        began = time.perf_counter()
        view()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
