"""PostgreSQL from the wheel and from an installed server, under an account that is not root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ports import free_port
from qfc.drivers import postgres_server
from qfc.drivers.postgres_server import Installation, connect, locate, temporary_server
from qfc.drivers.service_account import Account, service_account
from qfc.errors import CommandError, ConfigError, NotFoundError
from qfc_command import Qfc, fresh_qfc
from requirements import require

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture
def qfc() -> Iterator[Qfc]:
    """`qfc` on a machine where it has never been used."""
    with fresh_qfc() as one:
        yield one


def installed_server() -> Path:
    """Return the folder of an installed server's programs."""
    require("postgresql", bool(INSTALLED), "no server under /usr/lib/postgresql")
    return INSTALLED[-1].parent


def root_account() -> Account:
    """Return the account that root's servers run under."""
    require("root", os.geteuid() == 0, "only root changes accounts")
    account = service_account()
    assert account is not None
    return account


def test_the_wheel_brings_the_newest_release_it_has() -> None:
    newest = locate()
    assert newest.major >= 16
    assert newest.tree is not None
    assert locate(major=newest.major) == newest


def test_a_release_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="PostgreSQL 9") as caught:
        locate(major=9)
    assert "postgres_bin" in caught.value.hint


def test_a_folder_without_a_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="cannot be run"):
        locate(tmp_path)


def test_data_of_another_release_is_refused() -> None:
    folder = locate().bin
    with pytest.raises(ConfigError, match="created by PostgreSQL 12"):
        locate(folder, major=12)


def test_a_server_keeps_umlauts_and_checksums(node_folder: Path) -> None:
    with temporary_server(node_folder) as endpoint, connect(endpoint) as connection:
        query = "select lower('ÄÖ'), current_setting('data_checksums'), current_setting('server_encoding')"
        assert connection.execute(query).fetchone() == ("äö", "on", "UTF8")


def test_the_log_tells_errors_without_what_was_to_be_stored(node_folder: Path) -> None:
    import psycopg

    with temporary_server(node_folder) as endpoint, connect(endpoint, autocommit=True) as connection:
        connection.execute("create table tokens (key text not null, expires_at timestamptz not null)")
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute("insert into tokens values ('s3cret-token', null)")
        log = "".join(path.read_text() for path in node_folder.rglob("*.log"))
    assert 'null value in column "expires_at"' in log
    assert "s3cret-token" not in log


def test_nobody_gets_in_without_the_password(node_folder: Path) -> None:
    import psycopg

    with temporary_server(node_folder) as endpoint, pytest.raises(psycopg.OperationalError, match="password"):
        connect(replace(endpoint, password="wrong"))


def test_the_half_of_an_interrupted_initialisation_is_replaced(node_folder: Path) -> None:
    (node_folder / "data.new").mkdir()
    (node_folder / "data.new" / "PG_VERSION").write_text("18\n")
    with temporary_server(node_folder) as endpoint:
        connect(endpoint).close()
    assert not (node_folder / "data.new").exists()


def test_a_failing_initdb_says_why(node_folder: Path) -> None:
    data, installation = node_folder / "data", locate()
    data.mkdir()
    (data / "in the way").write_text("")
    with pytest.raises((CommandError, OSError)):
        postgres_server.create_cluster(
            installation.prepare_for(service_account(), node_folder),
            data,
            account=service_account(),
            user="a",
            password="b",
        )
    assert [path.name for path in node_folder.iterdir() if path.name.startswith("data.new")] == []


def hidden_tree(folder: Path) -> Installation:
    """Copy the wheel's server where only root can see it."""
    original = locate()
    assert original.tree is not None
    package = original.tree.parent
    tree = folder / "hidden" / package.name / original.tree.name
    shutil.copytree(original.tree, tree)
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / "hidden" / f"{package.name}.libs")
    (folder / "hidden").chmod(0o700)
    return Installation(tree / "bin", original.version, tree)


def test_a_server_that_the_account_cannot_reach_is_copied_once_and_runs(node_folder: Path) -> None:
    account, hidden = root_account(), hidden_tree(node_folder)
    copied = hidden.prepare_for(account, node_folder)
    assert node_folder in copied.bin.parents
    assert "hidden" not in str(copied.bin)
    marked = copied.bin / "marked"
    marked.write_text("")
    assert hidden.prepare_for(account, node_folder) == copied
    assert marked.exists()
    data = node_folder / "data"
    postgres_server.create_cluster(copied, data, account=account, user="a", password="b", sync=False)
    assert (data / "PG_VERSION").exists()
    assert data.stat().st_uid == account.uid


def test_a_home_that_the_account_cannot_enter_says_which_chmod_to_type(node_folder: Path) -> None:
    account, hidden = root_account(), hidden_tree(node_folder)
    closed = node_folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match=account.name) as caught:
        hidden.prepare_for(account, closed)
    assert f"chmod o+x {closed}" in caught.value.hint


def test_a_stack_on_an_installed_server(qfc: Qfc) -> None:
    folder = installed_server()
    qfc.ok("init", "local", "--workers", "1", "--postgres-bin", str(folder))
    assert qfc.ok("up")["verdict"] == "ok"
    version = qfc.ok("db", "status")["version"]
    assert str(folder).split("/")[4] in version
    qfc.ok("down")


def test_a_stack_on_an_external_database(qfc: Qfc, node_folder: Path) -> None:
    settings = {"listen_addresses": "127.0.0.1", "port": str(free_port())}
    with temporary_server(node_folder, settings=settings) as server:
        endpoint = replace(server, port=int(settings["port"]))
        with connect(endpoint, autocommit=True) as connection:
            connection.execute("create database outside")
        url = qfc.home / "database-url"
        url.write_text(f"postgresql://{endpoint.user}:{endpoint.password}@127.0.0.1:{endpoint.port}/outside\n")
        url.chmod(0o600)
        qfc.ok("init", "local", "--workers", "1", "--database-url-file", str(url))
        up = qfc.ok("up")
        assert up["verdict"] == "ok"
        status = qfc.ok("status")
        assert [service["name"] for service in status["services"]] == ["app", "worker_wrapper"]
        assert endpoint.password not in (qfc.home / "local/supervisord.conf").read_text()
        qfc.ok("down")


def test_an_external_database_that_refuses_us_is_unreachable_and_tells_no_password(qfc: Qfc) -> None:
    url = qfc.home / "database-url"
    url.write_text("postgresql://someone:very-secret@127.0.0.1:1/none\n")
    qfc.ok("init", "local", "--workers", "1", "--database-url-file", str(url))
    answer = qfc("--json", "up")
    assert answer.code == 3
    assert "very-secret" not in answer.out + answer.err
    assert "127.0.0.1" in answer.json["error"]["message"]


@pytest.mark.parametrize("content", ["", "mysql://a:b@c/d", "postgresql://host/db", "postgresql://a:b@host:x/db"])
def test_a_file_that_names_no_database_is_a_mistake_that_is_told(qfc: Qfc, content: str) -> None:
    (qfc.home / "database-url").write_text(content)
    qfc.ok("init", "local", "--database-url-file", str(qfc.home / "database-url"))
    answer = qfc("--json", "up")
    assert answer.code == 2
    assert "database_url_file" in answer.json["error"]["message"]
