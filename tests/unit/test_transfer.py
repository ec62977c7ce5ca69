"""What is decided about a move: how often to copy ahead, what differs, what stays to be done by hand, what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from qfc import wiring
from qfc.cli.session import Session
from qfc.config import AuditConfig, BackupConfig
from qfc.errors import QfcError, RefusedError
from qfc.operations.down import down
from qfc.operations.guard import Options, guarded
from qfc.operations.recovery import recover
from qfc.operations.services import services_recreate
from qfc.operations.status import status
from qfc.operations.transfer import holding
from qfc.operations.transfer.back import transfer_back
from qfc.operations.up import up
from qfc.stack import drains, journal
from qfc.stack.backup_set import Place, Reference
from qfc.stack.model import Verdict
from qfc.stack.transfer import moved
from qfc.stack.transfer.by_hand import Server, chores
from qfc.stack.transfer.contents import Contents, differences, unknown_stores, why_not
from qfc.stack.transfer.report import Check, MoveReport, markdown
from qfc.stack.transfer.rounds import Copied, is_another_worth_it
from qfc.stack.transfer.stores import in_common
from twins import MemoryPorts, memory_stack

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
YES = Options(yes=True)
AWAY = moved.Moved("new", "anna@memory", NOW, "20261130-120000-abcd")


def copies(*seconds: float) -> list[Copied]:
    return [Copied("x", 10, 1, 100, one) for one in seconds]


@pytest.mark.parametrize(
    ("taken", "another"),
    [
        ((), True),
        ((3.0,), False),
        ((400.0,), True),
        ((400.0, 100.0), True),
        ((400.0, 390.0), False),
        ((400.0, 15.0), False),
        ((900.0, 500.0, 300.0, 180.0), False),
    ],
)
def test_copies_ahead_end_when_another_would_not_shorten_the_cut(taken: tuple[float, ...], another: bool) -> None:
    assert is_another_worth_it(copies(*taken)) is another


def a_server(name: str, *, jobs: int = 3, migrations: tuple[str, ...] = ("core.0001",), **tables: int) -> Contents:
    objects = (Reference("a" * 64, 10), Reference("b" * 64, 20))
    return Contents(name, {"core_job": jobs, "node_worker": 1, **tables}, objects, migrations)


def test_servers_with_the_same_rows_and_objects_do_not_differ() -> None:
    assert differences(a_server("old"), a_server("new")) == ()
    assert differences(a_server("old", django_session=4), a_server("new")) == ()


def test_each_difference_is_a_sentence() -> None:
    objects = (Reference("a" * 64, 10, Place("default", "photo")), Reference("b" * 64, 20))
    old = replace(a_server("old", jobs=4), objects=objects)
    new = replace(a_server("new"), objects=(Reference("c" * 64, 10, Place("default", "photo")), Reference("d" * 64, 1)))
    assert differences(old, new) == (
        "core_job has 4 rows in old and 3 in new.",
        f"new does not refer to {'b' * 64}.",
        f"old does not refer to {'d' * 64}.",
        "photo is not the same on both.",
    )


def test_many_differences_are_counted() -> None:
    many = tuple(Reference(f"{one:064x}", 1) for one in range(30))
    found = differences(replace(a_server("old"), objects=many), replace(a_server("new"), objects=()))
    assert len(found) == 21
    assert found[-1] == "10 more objects differ."


def test_another_application_is_refused_and_another_release_too() -> None:
    node = a_server("new")
    official = Contents("old", {"core_job": 3}, (), ("core.0001", "core.0002"))
    reason = why_not(official, node)
    assert reason is not None
    assert reason[0] == "old runs the official application and new the built-in node: their tables differ."
    assert "qfc projects export" in reason[1]
    reason = why_not(a_server("old", migrations=("core.0001", "core.0002")), node)
    assert reason is not None
    assert reason[0] == "old and new run different releases: their tables differ (core.0002)."
    assert why_not(a_server("old"), node) is None
    assert why_not(official, Contents("new", {}, ())) is None


def test_an_older_postgresql_cannot_take_the_data() -> None:
    old, new = replace(a_server("old"), postgres="18.1"), replace(a_server("new"), postgres="15.9 (Debian)")
    reason = why_not(old, new)
    assert reason is not None
    assert reason[0] == "old has PostgreSQL 18 and new the older 15, which cannot read its dumps."
    assert why_not(new, old) is None


def test_a_store_that_only_the_old_settings_have_is_named() -> None:
    objects = [Reference("a" * 64, 1, Place("attic", "x")), Reference("b" * 64, 1, Place("default", "y"))]
    assert unknown_stores(objects, ("default", "attic"), ("default",)) == ("attic",)
    assert unknown_stores(objects, ("default",), ("default",)) == ()


def test_stores_in_common_are_those_at_addresses_that_everybody_shares() -> None:
    def s3(bucket: str, endpoint: str) -> dict[str, str]:
        return {"STORAGES": json.dumps({"attic": {"OPTIONS": {"bucket_name": bucket, "endpoint_url": endpoint}}})}

    def one(bucket: str, endpoint: str = "") -> dict[str, str]:
        return {"STORAGE_BUCKET_NAME": bucket, "STORAGE_ENDPOINT_URL": endpoint}

    far = "https://s3.example.org"
    assert in_common(s3("field", far), one("field", f"{far}/")) == ("field at s3.example.org",)
    assert in_common(one("field"), one("field", "https://s3.eu-west-1.amazonaws.com")) != ()
    for near in ("http://minio:9000", "http://172.17.0.1:8009", "http://host.docker.internal:9000"):
        assert in_common(s3("field", near), s3("field", near)) == ()
    assert in_common(s3("field", far), one("other", far)) == ()
    folder = {"STORAGES": json.dumps({"default": {"OPTIONS": {"webdav_url": "https://a:b@dav.example.org/x/"}}})}
    assert in_common(folder, folder) == ("dav.example.org/x",)
    assert in_common({"STORAGES": "{"}, {}) == ()


OLD = Server(
    "old",
    is_deployment=True,
    settings={
        "QFIELDCLOUD_HOST": "field.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://field.example.org",
        "EMAIL_HOST_PASSWORD": "s3cret-mail-word",
        "POSTGRES_PASSWORD": "s3cret-database-word",
        "SECRET_KEY": "s3cret-key",
    },
    settings_file="/srv/old/.env",
    machine="old.example.org",
    tunnels=("field",),
)
NEW = Server("new", is_deployment=True, settings={"WEB_HTTPS_PORT": "8443"}, settings_file="/srv/new/.env")


def test_what_is_left_to_do_is_listed_with_the_lines_to_type() -> None:
    lines = [line for one in chores(OLD, NEW) for line in one.lines]
    assert "QFIELDCLOUD_HOST=field.example.org" in lines
    assert "CSRF_TRUSTED_ORIGINS=https://field.example.org" in lines
    assert "grep -E '^(EMAIL_HOST_PASSWORD)=' /srv/old/.env   # of old" in lines
    assert "sudo ufw allow 8443/tcp" in lines
    assert "sudo cloudflared service uninstall   # on old.example.org" in lines
    assert "qfc --stack new certs renew" in lines


def test_a_name_in_the_dns_is_only_changed_where_no_tunnel_has_it() -> None:
    assert not any("dig" in line for one in chores(OLD, NEW) for line in one.lines)
    assert any(
        line == "dig +short field.example.org" for one in chores(replace(OLD, tunnels=()), NEW) for line in one.lines
    )


def test_devices_without_a_name_are_told_the_new_address() -> None:
    old = Server("old", False, url="http://10.0.0.5:8011", url_host="10.0.0.5", url_port=8011)
    new = Server("new", False, url="http://10.0.0.6:8011", url_host="10.0.0.6", url_port=8011)
    assert ("http://10.0.0.6:8011",) in [one.lines for one in chores(old, new)]


def test_no_secret_is_in_what_is_left_to_do_or_in_the_report() -> None:
    report = MoveReport(
        *("old", "new", "anna@desk", NOW, "20261130-120000-abcd", copies(10.0, 2.0), 12.34),
        *([Check("rows", "251 in 44 tables")], (), ["photo.jpg: lost"], chores(OLD, NEW), ("qfc transfer back",)),
    )
    text = markdown(report)
    assert "s3cret" not in text
    assert text.startswith("# old was moved to new\n")
    for line in ("Nobody could write for 12.3 s.", "| rows | 251 in 44 tables |", "- photo.jpg: lost"):
        assert line in text
    assert "   QFIELDCLOUD_HOST=field.example.org\n" in text


@pytest.fixture
def ports() -> MemoryPorts:
    made = memory_stack()
    made.runtime.start(None)
    return made


def test_holding_stops_work_and_giving_back_starts_it(ports: MemoryPorts) -> None:
    said: list[str] = []
    holding.hold(ports, "new", said.append)
    entry = journal.read(ports.records)
    assert entry is not None
    assert (entry.operation, entry.record) == ("transfer", {"to": "new"})
    assert [one.name for one in ports.runtime.services() if one.running] == ["db"]
    holding.give_back(ports)
    assert all(one.running for one in ports.runtime.services())
    assert (journal.read(ports.records), drains.read(ports.records)) == (None, None)


def test_a_move_that_was_killed_is_undone_by_the_next_command(ports: MemoryPorts) -> None:
    holding.hold(ports, "new", lambda _: None)
    said: list[str] = []
    recover(ports, said.append)
    assert said == ["Undo the move to new that was interrupted: accept writes again"]
    assert all(one.running for one in ports.runtime.services())


def test_a_move_that_was_complete_is_finished(ports: MemoryPorts) -> None:
    holding.hold(ports, "new", lambda _: None)
    moved.write(ports.records, AWAY)
    recover(ports, lambda _: None)
    assert not any(one.running for one in ports.runtime.services())
    assert journal.read(ports.records) is None


def test_a_server_that_was_moved_away_is_started_only_by_taking_it_back(ports: MemoryPorts) -> None:
    holding.hold(ports, "new", lambda _: None)
    holding.stand_down(ports, AWAY)
    seen = status(ports)
    assert (seen.verdict, len(seen.reasons)) == (Verdict.DOWN, 1)
    assert "moved this server to new" in seen.reasons[0]
    with pytest.raises(RefusedError) as caught:
        up(ports, YES)
    assert caught.value.hint == "To let this server take over again: qfc transfer back"
    assert transfer_back(ports, YES).was_moved_to == "new"
    assert status(ports).verdict is Verdict.OK
    with pytest.raises(RefusedError, match="was not moved away"):
        transfer_back(ports, YES)


def test_an_export_is_written_to_the_operators_audit_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tables = {BackupConfig: BackupConfig(), AuditConfig: AuditConfig(file=tmp_path / "audit.log")}
    known = SimpleNamespace(table=tables.__getitem__, stack=lambda: None)
    monkeypatch.setattr(Session, "config", known)
    monkeypatch.setattr(wiring, "wire", lambda *given: given)
    _, backup, log = cast("tuple[object, BackupConfig, object]", Session().with_backups_in(tmp_path))
    assert (backup.folder, log) == (tmp_path, tmp_path / "audit.log")


@pytest.fixture
def away(ports: MemoryPorts) -> MemoryPorts:
    """A server that was moved away."""
    holding.hold(ports, "new", lambda _: None)
    holding.stand_down(ports, AWAY)
    return ports


@pytest.mark.parametrize("options", [YES, Options(yes=True, dry_run=True)])
@pytest.mark.parametrize("command", ["up", "deploy", "services restart", "workers restart", "db restore", "doctor"])
def test_nothing_brings_a_server_that_was_moved_away_to_life(away: MemoryPorts, command: str, options: Options) -> None:
    with (
        pytest.raises(RefusedError, match="moved this server to new") as caught,
        guarded(away, command, target="", options=options),
    ):
        pytest.fail("a server that was moved away may be changed")
    assert caught.value.hint == moved.TAKE_BACK


def test_services_of_a_server_that_was_moved_away_are_not_recreated(away: MemoryPorts) -> None:
    with pytest.raises(RefusedError, match="moved this server to new"):
        services_recreate(away, None, YES)
    assert not any(one.running for one in away.runtime.services())


def test_a_server_that_was_moved_away_and_runs_is_told_and_can_be_stopped(away: MemoryPorts) -> None:
    away.runtime.start(None)  # by other means than qfc
    seen = status(away)
    assert seen.verdict is Verdict.DOWN
    assert any("its workers run: people may work on two servers" in one for one in seen.reasons)
    down(away, YES)
    assert not any(one.running for one in away.runtime.services())


def failing(*_: object) -> None:
    raise QfcError("No.")


def test_taking_back_asks_first_and_can_be_killed(ports: MemoryPorts, monkeypatch: pytest.MonkeyPatch) -> None:
    holding.hold(ports, "new", lambda _: None)
    holding.stand_down(ports, AWAY)
    with pytest.raises(RefusedError, match="What people did on new since then stays there"):
        transfer_back(ports, Options())
    start = ports.runtime.start
    monkeypatch.setattr(ports.runtime, "start", failing)
    with pytest.raises(QfcError, match="No"):
        transfer_back(ports, YES)
    monkeypatch.setattr(ports.runtime, "start", start)
    up(ports, YES)
    assert status(ports).verdict is Verdict.OK
