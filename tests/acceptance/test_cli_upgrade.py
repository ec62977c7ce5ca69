"""An upgrade brings the installed release, proven; whatever fails or is killed, the one from before serves again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from earlier_release import VERSION, earlier_release, last_migration
from field_server import FieldServer
from qfc import __version__
from qfc.drivers.postgres_server import _trees, program_version  # pyright: ignore[reportPrivateUsage]
from qfc_command import Qfc, fresh_qfc
from stack import DATABASE, USER

pytestmark = pytest.mark.slow
#: The steps at which an upgrade is killed, by the line that announces them.
STEPS = ("Stop the API", "Keep a copy", "Start the release where", "Prove that")
KILLED = STEPS if os.environ.get("QFC_TEST_KILLS") == "all" else STEPS[2:3]


class Older:
    """A stack that an earlier release started, with a project; `new` and `old` are the two releases' `qfc`."""

    def __init__(self, new: Qfc, program: Path) -> None:
        self.new, self.old = new, Qfc(new.home, str(program))
        self.old.ok("init", "local", "--workers", "1")
        self.old.ok("up")
        self.old.ok("users", "create", "root", "--superuser", "--generate")
        self.server = FieldServer(self.old)
        self.server.upload("photo.jpg", b"a photo")

    def connect(self) -> psycopg.Connection:
        password = (self.new.home / "local/secrets/POSTGRES_PASSWORD").read_text().strip()
        host = str(self.new.home / "local/run/db")
        return psycopg.connect(host=host, user=USER, password=password, dbname=DATABASE)

    def migrations(self) -> set[str]:
        with self.connect() as connection:
            return {str(row[0]) for row in connection.execute("select name from django_migrations where app = 'core'")}

    def databases(self) -> set[str]:
        with self.connect() as connection:
            return {str(row[0]) for row in connection.execute("select datname from pg_database")} - {"postgres"}

    def release(self) -> str:
        """Return the release that the API's process runs."""
        conf = (self.new.home / "local/supervisord.conf").read_text()
        return VERSION if f'QFC_NODE_RELEASE="{VERSION}"' in conf else __version__

    def require_before(self) -> None:
        """Check that the earlier release serves, with its data, at its address."""
        status = self.old.ok("status")
        assert (status["verdict"], status["reasons"]) == ("ok", [])
        assert self.release() == VERSION
        assert last_migration().removesuffix(".py") not in self.migrations()
        assert self.server.files()["photo.jpg"] == b"a photo"
        assert self.databases() == {DATABASE, "template0", "template1"}


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Older]:
    program = earlier_release(tmp_path_factory.mktemp("earlier"))
    with fresh_qfc() as new:
        stack = Older(new, program)
        yield stack
        stack.server.http.close()


def test_a_plan_is_shown_and_nothing_changes(older: Older) -> None:
    plan = older.new.ok("upgrade", "--dry-run")
    assert (plan["result"], plan["migrations"]) == ("unchanged", [f"core.{last_migration().removesuffix('.py')}"])
    refused = older.new("upgrade")
    assert refused.code == 4
    assert f"from {VERSION} (PostgreSQL 18) to {__version__} (PostgreSQL 18), with 1 migration?" in refused.err
    older.require_before()


def test_a_release_that_is_not_proven_is_replaced_by_the_one_from_before(older: Older) -> None:
    """The server refuses every job, so the proof fails."""
    with older.connect() as connection:
        connection.execute(REFUSE)
    answer = older.new("--json", "upgrade", "--yes", "--no-safety-set")
    assert answer.code == 1, answer.out
    said = answer.json["error"]["message"]
    assert said.startswith("Nothing was upgraded: The release does not pass the proof (project file processed")
    assert said.endswith(f"{VERSION} runs again with its data.")
    older.require_before()
    with older.connect() as connection:
        connection.execute("drop function refuse cascade")


REFUSE = """
create function refuse() returns trigger language plpgsql as $$begin raise 'not today'; end$$;
create trigger refuse before insert on core_job for each row execute function refuse();
"""


@pytest.mark.parametrize("step", KILLED)
def test_an_upgrade_that_is_killed_leaves_the_release_from_before(older: Older, step: str) -> None:
    kill_at(older.new, step)
    status = older.new("--json", "status").json
    assert any("upgrade was interrupted" in one for one in status["reasons"]), status["reasons"]
    older.new.ok("db", "backup")
    older.require_before()


def test_an_upgrade_that_is_killed_after_the_proof_is_finished(older: Older) -> None:
    kill_at(older.new, "Start the release for")
    older.new.ok("db", "backup")
    assert older.release() == __version__
    assert last_migration().removesuffix(".py") in older.migrations()
    assert older.databases() == {DATABASE, "template0", "template1"}
    assert older.server.files()["photo.jpg"] == b"a photo"
    assert older.new.ok("status")["verdict"] == "ok"
    assert older.new.ok("upgrade")["result"] == "unchanged"
    refused = older.old("--json", "upgrade", "--yes")
    assert refused.json["error"]["message"].startswith("The data are of a newer release than the installed one")


def test_the_data_move_to_a_newer_postgresql(qfc: Qfc) -> None:
    older_server = min(_trees(), key=lambda tree: float(program_version(tree / "bin"))) / "bin"
    qfc.ok("init", "local", "--workers", "1")
    qfc.ok("up", QFC_POSTGRES_BIN=str(older_server))
    server = FieldServer(qfc)
    server.upload("photo.jpg", b"a photo")
    answer = qfc.ok("upgrade", "--yes")
    assert (answer["from"], answer["result"]) == (f"{__version__} (PostgreSQL 16)", "upgraded")
    assert (qfc.home / "local/db/PG_VERSION").read_text().strip() == "18"
    assert not [path.name for path in (qfc.home / "local").iterdir() if "upgrade" in path.name]
    assert server.files()["photo.jpg"] == b"a photo"
    assert qfc.ok("db", "verify", answer["backup"])["ok"]
    server.http.close()
    qfc.ok("down", "--now")


def kill_at(qfc: Qfc, step: str) -> None:
    process = qfc.begin("upgrade", "--yes", "--no-safety-set")
    assert process.stderr is not None
    for line in process.stderr:
        if step in line:
            time.sleep(0.5)
            break
    process.send_signal(signal.SIGKILL)
    said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
