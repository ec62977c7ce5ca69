"""The queue in a real PostgreSQL: behaviour that only a real server has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from qfc.drivers.postgres import PostgresDirectory, PostgresJobStore
from qfc.drivers.postgres.connection import Database
from qfc.drivers.postgres_server import Endpoint, connect
from qfc.errors import QfcError, RefusedError, UnreachableError
from qfc.stack.model import JobStatus
from queue_world import DatabaseWorld, before, moment

#: First key of the advisory locks of the node's workers; the acceptance tests compare it with real ones.
LOCK_CLASS = 0x51464357
OTHERS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


@pytest.fixture
def world(database: Endpoint) -> Iterator[DatabaseWorld]:
    """The node's tables, empty except for one user."""
    made = DatabaseWorld(lambda: connect(database))
    yield made
    made.close()


def test_a_server_that_is_not_there(database: Endpoint) -> None:
    store = PostgresJobStore(lambda: connect(replace(database, host="/nonexistent")))
    with pytest.raises(UnreachableError):
        store.depth()


def test_no_password_is_told(database: Endpoint) -> None:
    wrong = replace(database, user="nobody", password="s3cret-word")
    with pytest.raises(UnreachableError) as caught:
        PostgresJobStore(lambda: connect(wrong)).depth()
    assert "s3cret-word" not in f"{caught.value}{caught.value.__cause__}"


def test_a_database_without_tables_says_what_to_type(postgres_server: Endpoint) -> None:
    with pytest.raises(QfcError) as caught:
        PostgresJobStore(lambda: connect(postgres_server)).depth()
    assert "core_job" in caught.value.message
    assert "qfc db migrate" in caught.value.hint


def test_connections_that_were_cut_are_made_anew(world: DatabaseWorld) -> None:
    world.job(world.project("survey"))
    assert world.store.depth().pending == 1
    world.execute(OTHERS)
    assert world.store.depth().pending == 1


def test_a_table_that_was_renamed_is_found_again(world: DatabaseWorld) -> None:
    name = world.job(world.project("survey"))
    assert world.store.job(name).project == "alice/survey"
    world.execute("alter table core_project rename to project_project")
    with pytest.raises(QfcError):
        world.store.job(name)
    assert world.store.job(name).project == "alice/survey"


def test_views_can_write_nothing(database: Endpoint) -> None:
    views = Database(lambda: connect(database))
    with pytest.raises(RefusedError), views.reading() as session:
        session.change("accounts.end_tokens", user_id=1)
    views.close()


def test_a_view_that_takes_too_long_is_given_up(database: Endpoint) -> None:
    views = Database(lambda: connect(database))
    with pytest.raises(QfcError, match="did not answer in time"), views.reading() as session:
        session.connection.execute("set local statement_timeout = '20ms'")
        session.connection.execute("select pg_sleep(5)")
    views.close()


def test_rows_that_somebody_holds_are_refused_not_waited_for(world: DatabaseWorld, database: Endpoint) -> None:
    name = world.job(world.project("survey"), "failed", ended=1)
    with connect(database) as other:
        other.execute("select * from core_job for update")
        with pytest.raises(RefusedError):
            world.store.retry([name])
    assert world.store.retry([name]).jobs == (name,)


def test_two_operators_at_once_change_a_job_once(world: DatabaseWorld, database: Endpoint) -> None:
    project = world.project("survey")
    job = world.job(project, "failed", type="delta_apply", ended=1)
    delta = world.delta(project, "error", job=job)
    start = threading.Barrier(4)

    def attempt(change: Callable[[PostgresJobStore], int]) -> int:
        store = PostgresJobStore(lambda: connect(database))
        start.wait()
        try:
            return change(store)
        finally:
            store.close()

    def retry(store: PostgresJobStore) -> int:
        return len(store.retry([job]).deltas)

    def reapply(store: PostgresJobStore) -> int:
        return len(store.reapply([delta]).deltas)

    with ThreadPoolExecutor(4) as pool:
        outcomes = [
            future.result() for future in [pool.submit(attempt, one) for one in (retry, retry, reapply, reapply)]
        ]
    assert sum(outcomes) == 1
    statement = "select count(*) from core_applyjobdelta where status in ('pending', 'started')"
    assert world.execute(statement) == [(1,)]


def test_a_change_wakes_the_workers(world: DatabaseWorld, database: Endpoint) -> None:
    name = world.job(world.project("survey"), "failed", ended=1)
    with connect(database, autocommit=True) as listener:
        listener.execute("listen qfc_jobs")
        world.store.retry([name], dry_run=True)
        assert list(listener.notifies(timeout=0)) == []
        world.store.retry([name])
        assert [notice.channel for notice in listener.notifies(timeout=5, stop_after=1)] == ["qfc_jobs"]


def test_cancelling_takes_the_lease_from_the_worker(world: DatabaseWorld) -> None:
    name = world.job(world.project("survey"), "started", started=1)
    world.execute("update core_job set lease_token = gen_random_uuid(), lease_expires_at = now() + interval '1 minute'")
    world.store.cancel([name])
    assert world.execute("select status, lease_token, lease_expires_at from core_job") == [("stopped", None, None)]
    feedback = world.store.job(name).feedback
    assert feedback is not None
    assert feedback["error_type"] == "CANCELLED"


def test_a_retried_job_counts_its_attempts_from_the_beginning(world: DatabaseWorld) -> None:
    name = world.job(world.project("survey"), "failed", ended=1)
    world.execute("update core_job set attempts = 3, faults = 2, not_before = now() + interval '1 hour'")
    world.store.retry([name])
    job = world.store.job(name)
    assert (job.attempts, job.not_before) == (0, None)


def test_a_worker_lives_as_long_as_its_connection(world: DatabaseWorld, database: Endpoint) -> None:
    world.insert("node_worker", id=before_id(1), lock_key=7, host="h", pid=1, release="1", state="idle")
    (dead,) = world.store.workers()
    assert dead.state == "dead"
    with connect(database, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, 7])
        (alive,) = world.store.workers()
        assert alive.state == "idle"
    project = world.project("survey")
    job = world.job(project, "started", started=3)
    world.execute("update core_job set container_id = %(worker)s", {"worker": before_id(1)})
    (holder,) = world.store.workers()
    assert (holder.job_id, holder.since, holder.pid, holder.release) == (job, before(3), 1, "1")
    assert world.store.snapshot().active[0].worker_id == holder.id


def test_what_holds_jobs_back_is_counted(world: DatabaseWorld) -> None:
    locked, late = world.project("locked", locked=5), world.project("late")
    world.job(locked)
    postponed = world.job(late)
    world.execute("update core_job set not_before = now() + interval '1 hour' where id = %(id)s", {"id": postponed})
    world.job(late)
    counts = world.store.snapshot().counts
    assert (counts.project_locked, counts.project_busy, counts.postponed, counts.claimable) == (1, 0, 1, 1)
    held = next(job for job in world.store.snapshot().pending if job.project_id == locked)
    assert held.project_locked_at == before(5)


def test_a_quota_is_the_plan_and_what_was_added(world: DatabaseWorld) -> None:
    directory: PostgresDirectory = world.directory
    world.project("survey")
    alice = world.user_id("alice")
    world.insert("core_useraccount", user_id=alice, db_limit_mb=1, bio="", is_email_public=False, location="",
                 twitter="", company="", is_geodb_enabled=False, avatar_uri="", timezone="UTC")  # fmt: skip
    assert directory.users()[0].storage_quota_bytes is None
    world.execute(
        """
        insert into subscription_subscription (uuid, account_id, plan_id, status, created_by_id, active_since)
        select gen_random_uuid(), %(user)s, id, 'active_paid', %(user)s, now() - interval '1 day'
        from subscription_plan where code = 'community'
        """,
        {"user": alice},
    )
    assert directory.users()[0].storage_quota_bytes == 10_000 * 10**6
    assert directory.users()[0].storage_used_bytes == 1000
    world.execute(
        """
        insert into subscription_packagetype (code, display_name, is_public, max_quantity, min_quantity, type,
                                              unit_amount, created_at, updated_at)
        values ('storage', 'storage', true, 100, 0, 'storage', 500, now(), now());
        insert into subscription_package (active_since, quantity, type_id, subscription_id, created_at, updated_at)
        select now() - interval '1 hour', 2, t.id, s.id, now(), now()
        from subscription_packagetype t, subscription_subscription s
        """
    )
    assert directory.users()[0].storage_quota_bytes == 11_000 * 10**6


def test_disabling_ends_the_tokens(world: DatabaseWorld) -> None:
    for number, hours in enumerate((1, 2, -1)):
        world.insert("authentication_authtoken", key=f"k{number}", created_at=moment(), updated_at=moment(),
                     user_agent="", expires_at=before(-60 * hours), client_type="sdk",
                     user_id=world.user_id("alice"))  # fmt: skip
    assert world.directory.set_active("alice", False) == 2
    assert world.execute("select count(*) from authentication_authtoken where expires_at > now()") == [(0,)]


def test_the_status_of_a_project(world: DatabaseWorld) -> None:
    project = world.project("survey")

    def status() -> str:
        return world.directory.project(project).status

    assert status() == "ok"
    job = world.job(project, type="process_projectfile")
    assert status() == "busy"
    world.execute("update core_job set status = 'finished' where id = %(id)s", {"id": job})
    world.execute("update core_project set problem = 'not XML'")
    assert status() == "failed"
    assert world.directory.project(project).problem == "not XML"
    world.execute("update core_project set problem = null, project_filename = null")
    assert status() == "failed"


def test_files_are_those_of_the_project_not_of_its_packages(world: DatabaseWorld) -> None:
    project = world.project("survey")
    for name, file_type in (("a", 1), ("b", 1), ("c", 2)):
        world.insert("filestorage_file", project_id=project, name=name, file_type=file_type)
    assert world.directory.project(project).files == 2


def test_the_tables_of_the_database(world: DatabaseWorld) -> None:
    status = world.directory.database()
    names = [name for name, _, _ in status.tables]
    assert "core_job" in names
    assert status.size_bytes > 1_000_000
    assert status.connections >= 1


VIEWS: dict[str, Callable[[PostgresJobStore], object]] = {
    "depth": PostgresJobStore.depth,
    "jobs": PostgresJobStore.jobs,
    "failed jobs": lambda store: store.jobs(statuses=[JobStatus.FAILED]),
    "ended": lambda store: store.ended(since=before(10**6)),
    "statistics": lambda store: store.statistics(since=before(600)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_a_big_queue_do_not_read_the_whole_table(world: DatabaseWorld, database: Endpoint, view: str) -> None:
    project, alice = world.project("survey"), world.user_id("alice")
    fill = """
        insert into core_job (id, created_at, updated_at, project_id, type, status, created_by_id, finished_at,
                              started_at, output)
        select gen_random_uuid(), now() - n * interval '1 minute', now(), %(project)s, 'package',
               case when n %% 10 = 0 then 'failed' when n %% 100 = 1 then 'pending' else 'finished' end, %(alice)s,
               now() - n * interval '1 minute', now() - n * interval '1 minute', repeat('x', 500)
        from generate_series(1, 20000) n
    """
    world.execute(fill, {"project": project, "alice": alice})
    world.execute("vacuum analyze core_job")
    store = PostgresJobStore(lambda: connect(database))
    before_scans = scans(database)
    VIEWS[view](store)
    store.close()
    assert scans(database) == before_scans


def scans(database: Endpoint) -> int:
    """Return the number of full scans of the table of jobs."""
    with connect(database, autocommit=True) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        row = connection.execute("select seq_scan from pg_stat_user_tables where relname = 'core_job'").fetchone()
    assert row is not None
    return int(row[0])


def before_id(number: int) -> str:
    """Return an id that is easy to recognise."""
    return f"00000000-0000-4000-8000-{number:012}"


def test_the_durations_of_a_job_that_waited_long(world: DatabaseWorld) -> None:
    world.job(world.project("survey"), "finished", made=60 * 24 * 30, started=5, ended=4)
    found = world.store.statistics(since=moment() - timedelta(hours=1))
    assert found.finished == 1
    assert found.wait.max == (60 * 24 * 30 - 5) * 60


def test_a_connection_is_given_back_after_an_error(world: DatabaseWorld, database: Endpoint) -> None:
    opened: list[psycopg.Connection] = []

    def counted() -> psycopg.Connection:
        opened.append(connect(database))
        return opened[-1]

    store = PostgresJobStore(counted)
    for _ in range(3):
        store.depth()
    assert len(opened) == 1
    with pytest.raises(RefusedError):
        store.retry([before_id(number) for number in range(1001)])
    assert opened[0].closed
    store.close()
    assert all(connection.closed for connection in opened)


def test_tables_with_many_dead_rows_are_vacuumed(world: DatabaseWorld) -> None:
    world.execute("create table churn (id int)")
    world.execute("insert into churn select generate_series(1, 3000)")
    world.execute("delete from churn where id > 100")
    world.execute("select pg_stat_force_next_flush()")
    assert "churn" in world.directory.vacuum()
    world.execute("select pg_stat_force_next_flush()")
    assert "churn" not in world.directory.vacuum()
