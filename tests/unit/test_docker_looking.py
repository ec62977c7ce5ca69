"""The snapshot of all containers of a deployment: parse the output of the script on a host."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest

from qfc.drivers.docker.containers import Container, PublishedPort, container, moment
from qfc.drivers.docker.snapshot import Snapshot, Use, by_folder, by_project, command, parse
from qfc.errors import QfcError
from qfc.stack.model import Disk, QueueDepth

APP_ID, WORKER_ID, TASK_ID = "a1" * 32, "b2" * 32, "c3" * 32
APP = """{"Id":"%s","Created":"2026-05-04T09:59:58.123456789Z","Path":"gunicorn","Args":["qfieldcloud.wsgi"],
"State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":4021,
"ExitCode":0,"Error":"","StartedAt":"2026-05-04T10:00:00.5Z","FinishedAt":"0001-01-01T00:00:00Z",
"Health":{"Status":"healthy","FailingStreak":0,"Log":[{"Output":"{\\"a\\": 1}"}]}},
"Image":"sha256:e5f6","Name":"/qfieldcloud-app-1","RestartCount":2,"LogPath":"/var/lib/docker/containers/a1/a1-json.log",
"HostConfig":{"NetworkMode":"qfieldcloud_default","RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}},
"Mounts":[{"Type":"volume","Name":"qfieldcloud_static_volume","Source":"/var/lib/docker/volumes/qfieldcloud_static_volume/_data","Destination":"/usr/src/app/staticfiles"},
{"Type":"bind","Source":"/opt/QFieldCloud/conf","Destination":"/conf"},{"Type":"tmpfs","Source":"","Destination":"/run"}],
"Config":{"Tty":false,"Env":["DEBUG=0","SECRET_KEY=hunter2=","EMPTY="],"Image":"qfieldcloud-app","StopTimeout":null,
"Labels":{"com.docker.compose.container-number":"1","com.docker.compose.oneoff":"False",
"com.docker.compose.project":"qfieldcloud","com.docker.compose.service":"app",
"com.docker.compose.project.working_dir":"/opt/QFieldCloud"}},
"NetworkSettings":{"Ports":{"8000/tcp":[{"HostIp":"127.0.0.1","HostPort":"8011"},{"HostIp":"::1","HostPort":"8011"}],
"9000/tcp":null},"Networks":{"qfieldcloud_default":{"IPAddress":"172.19.0.6"},"other":{"IPAddress":""}}}}"""


def document(**state: object) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(APP % APP_ID)
    made["State"] |= state
    return made


def row(id: str, service: str, pid: int, **state: object) -> str:
    """Return the line that the script prints for a container."""
    made = document(Pid=pid, **state)
    made["Id"], made["Name"] = id, f"/qfieldcloud-{service}-1"
    made["Config"]["Labels"]["com.docker.compose.service"] = service
    return f"{pid} {id} {service} {json.dumps(made)}"


PRINTED = f"""@time 1777889100
@containers
{row(APP_ID, "app", 4021)}
{row(WORKER_ID, "worker_wrapper", 4100)}
{row(TASK_ID, "createbuckets", 0, Status="exited", StartedAt="2026-05-04T10:00:01Z", FinishedAt="2026-05-04T10:00:03Z")}
@use 4021 5000.10 61000000000 - -
@use 4100 5000.11 - - -
@disk /dev/vda1 100 60 40 60% /
@disk my share on nas 1000 999 1 100% /var/lib/docker
@file 1374962516 812 /opt/QFieldCloud/.env
@file 99 12 /opt/QFieldCloud/docker-compose.yml
@depth {{"pending":3, "queued":0,"started":1,"oldest_pending_s":12.5}}
@use 4021 5000.30 61030000000 209715200 1
"""


def test_everything_is_read_from_one_answer() -> None:
    seen = parse(PRINTED)
    assert seen.at == datetime(2026, 5, 4, 10, 5, tzinfo=UTC)
    assert [(one.service, one.status) for one in seen.containers] == [
        ("app", "running"),
        ("worker_wrapper", "running"),
        ("createbuckets", "exited"),
    ]
    assert seen.disks == (Disk(40 * 1024, 100 * 1024, "/"), Disk(1024, 1000 * 1024, "/var/lib/docker"))
    assert seen.files == {".env": "1374962516-812", "docker-compose.yml": "99-12"}
    assert seen.depth == QueueDepth(3, 0, 1, 12.5)
    assert seen.interrupted is None


def test_two_samples_make_a_use_and_one_alone_no_share() -> None:
    assert parse(PRINTED).uses == {4021: Use(15.0, 209715200, 1), 4100: Use(None, None, None)}


@pytest.mark.parametrize(
    ("first", "last", "use"),
    [
        ("1.00 1000000000 - -", "1.10 1200000000 5 0", Use(200.0, 5, 0)),
        ("1.00 1000000000 - -", "1.00 1000000000 5 0", Use(None, 5, 0)),
        ("1.00 - - -", "1.10 1200000000 5 0", Use(None, 5, 0)),
        ("1.00 1000000000 - -", "1.10 - - -", Use(None, None, None)),
        ("1.00 1000000000 - -", "1.10 1000000000 - 2", Use(0.0, None, 2)),
    ],
)
def test_figures_that_the_kernel_does_not_give_are_not_known(first: str, last: str, use: Use) -> None:
    assert parse(f"@time 1\n@use 7 {first}\n@use 7 {last}\n").uses == {7: use}


def test_a_container_that_vanished_while_it_was_looked_at_leaves_the_others() -> None:
    printed = f"@time 1\n@containers\n{row(APP_ID, 'app', 4021)}\n@use 4021 1.0 5 - -\n@use 4100 1.0 5 - -\n"
    seen = parse(printed)
    assert [one.id for one in seen.containers] == [APP_ID]
    assert seen.uses[4100].cpu_percent is None


def test_a_deployment_without_containers_is_empty() -> None:
    seen = parse("@time 1777889100\n@disk /dev/vda1 100 60 40 60% /\n")
    assert seen == Snapshot(seen.at, disks=(Disk(40 * 1024, 100 * 1024, "/"),))
    assert parse("@time 1777889100\n@containers\n\n").containers == ()


def test_what_was_left_half_done_is_seen() -> None:
    assert parse("@time 1\n@interrupted deploy\n").interrupted == "deploy"


def test_files_in_a_folder_with_blanks_are_told_apart() -> None:
    printed = "@time 1\n@file 1 2 /opt/My Cloud/.env\n@file 3 4 /opt/My Cloud/docker-compose.yml\n"
    assert parse(printed).files == {".env": "1-2", "docker-compose.yml": "3-4"}


@pytest.mark.parametrize("answer", ['{"pending":3}', '{"error":"relation core_job does not exist"}'])
def test_an_answer_that_is_no_depth_is_none(answer: str) -> None:
    assert parse(f"@time 1\n@depth {answer}\n").depth is None


@pytest.mark.parametrize(
    "printed",
    ["", "Welcome to Debian!\n@time 1777889100\n", "@containers\n", '{"Id": 1}\n', "@time \n", "@time soon\n"],
)
def test_something_else_than_was_asked_for_is_an_error(printed: str) -> None:
    with pytest.raises(QfcError, match="The host printed unexpected"):
        parse(printed)


@pytest.mark.parametrize("rest", ['4021 a1 app {"Id":"a1","Sta', "4021 a1 app {}", "@file 12", '@depth {"pen'])
def test_an_answer_that_breaks_off_is_an_error(rest: str) -> None:
    with pytest.raises(QfcError, match="The host printed unexpected"):
        parse(f"@time 1777889100\n@containers\n{rest}")


def test_the_script_is_given_what_it_needs() -> None:
    argv = command(by_project("qfc"), PurePosixPath("/opt/q"), depth_query="select 1")
    assert (argv[:2], argv[3:]) == (["sh", "-c"], ["sh", "com.docker.compose.project=qfc", "/opt/q", "select 1"])
    assert "@time" in argv[2]
    assert by_folder(PurePosixPath("/opt/q")) == "com.docker.compose.project.working_dir=/opt/q"


def test_a_container_is_what_inspect_says() -> None:
    one = container(document())
    assert (one.id, one.name, one.service, one.project, one.number) == (
        APP_ID,
        "qfieldcloud-app-1",
        "app",
        "qfieldcloud",
        1,
    )
    assert (one.image, one.image_id, one.status, one.pid) == ("qfieldcloud-app", "sha256:e5f6", "running", 4021)
    assert one.created_at == datetime(2026, 5, 4, 9, 59, 58, 123456, tzinfo=UTC)
    assert (one.started_at, one.finished_at) == (datetime(2026, 5, 4, 10, 0, 0, 500000, tzinfo=UTC), None)
    assert (one.restart_count, one.restart_policy, one.health) == (2, "unless-stopped", "healthy")
    assert (one.addresses, one.address) == ({"qfieldcloud_default": "172.19.0.6"}, "172.19.0.6")
    assert one.ports == (PublishedPort(8000, "127.0.0.1", 8011), PublishedPort(8000, "::1", 8011))
    assert one.volumes == ("qfieldcloud_static_volume",)
    assert one.mounts["/conf"] == "/opt/QFieldCloud/conf"
    assert "/run" not in one.mounts
    assert one.environment == {"DEBUG": "0", "SECRET_KEY": "hunter2=", "EMPTY": ""}
    assert "hunter2" not in repr(one)


def test_a_container_with_nothing_but_what_it_must_have() -> None:
    bare = document(Status="created", Pid=0, StartedAt="0001-01-01T00:00:00Z")
    del bare["State"]["Health"], bare["Mounts"], bare["LogPath"]
    bare["Config"] |= {"Labels": None, "Env": None, "StopTimeout": 900}
    bare["NetworkSettings"] = {}
    one = container(bare)
    assert (one.pid, one.started_at, one.health, one.address, one.stop_timeout_s) == (None, None, None, None, 900)
    assert (one.service, one.project, one.number, one.is_one_off, one.ports) == ("", "", 1, False, ())


@pytest.mark.parametrize(
    ("status", "runs"), [("running", True), ("paused", True), ("restarting", False), ("exited", False), ("dead", False)]
)
def test_a_container_runs_while_its_process_lives(status: str, runs: bool) -> None:
    assert container(document(Status=status)).is_running is runs


@pytest.mark.parametrize(("label", "is_one_off"), [("True", True), ("False", False), ("", False)])
def test_containers_of_single_commands_are_told_apart(label: str, is_one_off: bool) -> None:
    made = document()
    made["Config"]["Labels"]["com.docker.compose.oneoff"] = label
    one: Container = container(made)
    assert one.is_one_off is is_one_off


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-05-04T10:00:00.123456789Z", datetime(2026, 5, 4, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-05-04T12:00:00+02:00", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("2026-05-04T10:00:00.1Z", datetime(2026, 5, 4, 10, 0, 0, 100000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_moments_of_the_engine(text: str, wanted: datetime | None) -> None:
    assert moment(text) == wanted
