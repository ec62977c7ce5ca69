"""A stack's life: up, up again, power cuts, taken ports, scale, restart, down."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from ports import free_port
from qfc.drivers.runtimes.embedded.layout import Layout
from qfc_command import Qfc

pytestmark = pytest.mark.slow


def answers(url: str) -> bool:
    with urlopen(f"{url}/api/v1/status/", timeout=10) as response:
        return bool(response.status == 200)


def test_up_status_down(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "1")
    up = qfc.ok("up")
    assert (up["verdict"], up["already_running"]) == ("ok", False)
    assert answers(up["url"])

    status = qfc.ok("status")
    assert (status["stack"], status["kind"], status["verdict"], status["reasons"]) == ("local", "embedded", "ok", [])
    services = {service["name"]: service for service in status["services"]}
    assert list(services) == ["db", "app", "worker_wrapper"]
    for service in services.values():
        assert (service["state"], service["running"], service["wanted"]) == ("running", 1, 1)
        (instance,) = service["instances"]
        assert psutil.pid_exists(instance["pid"])
        assert instance["memory_bytes"] > 1_000_000
        assert instance["uptime_s"] >= 0
        assert instance["restarts"] == 0
    assert status["queue"] == {"pending": 0, "queued": 0, "started": 0, "oldest_pending_s": 0}
    assert 0 < status["disk"]["free_bytes"] < status["disk"]["total_bytes"]

    assert qfc.ok("down")["was_running"] is True
    assert qfc.processes() == []
    assert qfc("status").code == 1


def test_up_twice_is_harmless(running: Qfc) -> None:
    before = running.pid("app"), running.pid("db"), running.pid("worker_wrapper-1")
    assert running.ok("up")["already_running"] is True
    assert (running.pid("app"), running.pid("db"), running.pid("worker_wrapper-1")) == before


def instances(running: Qfc) -> list[int]:
    """Return the process ids of all instances."""
    services = running.ok("status")["services"]
    return [one["pid"] for service in services for one in service["instances"]]


def test_a_dry_run_plans_and_changes_nothing(running: Qfc) -> None:
    before = instances(running)
    for arguments in (["down"], ["services", "restart", "--all"], ["workers", "scale", "5"]):
        plan = running.ok(*arguments, "--dry-run")
        assert plan["dry_run"] is True
        assert plan["steps"]
    assert instances(running) == before


def test_after_a_power_cut_up_comes_back_clean(running: Qfc) -> None:
    url = running.ok("up")["url"]
    running.kill_everything()
    assert running("status").code == 1
    assert running.ok("up")["verdict"] == "ok"
    assert running.ok("up")["url"] == url
    assert answers(url)


def test_when_only_the_supervisor_dies_up_ends_its_orphans_and_keeps_the_port(running: Qfc) -> None:
    url = running.ok("up")["url"]
    orphans = {running.pid("app"), running.pid("db")}
    os.kill(int((running.home / "local/run/supervisord.pid").read_text()), signal.SIGKILL)
    assert running("--quiet", "status").out == "down\n"
    assert "qfc up" in running("status").out
    up = running.ok("up")
    assert (up["verdict"], up["url"]) == ("ok", url)
    assert not any(psutil.pid_exists(pid) for pid in orphans)


def test_a_stale_pid_file_that_names_a_living_stranger_hurts_nobody(running: Qfc) -> None:
    running.kill_everything()
    postmaster = running.home / "local/db/postmaster.pid"
    lines = postmaster.read_text().splitlines()
    postmaster.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    (running.home / "local/run/supervisord.pid").write_text(f"{os.getpid()}\n")
    assert running.ok("up")["verdict"] == "ok"


def test_a_killed_worker_is_started_again_and_counted(running: Qfc) -> None:
    pid = running.pid("worker_wrapper-2")
    os.kill(pid, signal.SIGKILL)
    assert running.ok("up")["verdict"] == "ok"
    workers = running.ok("status")["services"][2]["instances"]
    (killed,) = [one for one in workers if one["id"] == "worker_wrapper-2"]
    assert killed["pid"] != pid
    assert killed["restarts"] == 1
    assert killed["exit_code"] == -1


def test_scaling_leaves_the_workers_that_stay_alone(running: Qfc) -> None:
    stays = running.pid("worker_wrapper-1")
    assert running.ok("workers", "scale", "3")["wanted"] == 3
    assert running.ok("status")["services"][2]["running"] == 3
    running.ok("workers", "scale", "1")
    (left,) = running.ok("status")["services"][2]["instances"]
    assert (left["id"], left["pid"]) == ("worker_wrapper-1", stays)


def test_a_load_test_leaves_nothing_also_when_it_is_killed(running: Qfc) -> None:
    running.ok("users", "create", "boss", "--email", "boss@example.org", "--superuser", "--generate")
    wanted = running.ok("workers", "list")["wanted"]
    options = ("capacity", "benchmark", "--agents", "3", "--projects", "1", "--pace", "300")
    killed = running.begin(*options, "--workers", "3", "--minutes", "5")
    assert killed.stderr is not None
    while "3 agents and 3 workers" not in killed.stderr.readline():
        assert killed.poll() is None
    killed.kill()
    killed.communicate(timeout=60)
    assert [one["name"] for one in running.ok("projects", "list")["projects"]]
    result = running.ok(*options, "--workers", "1", "--minutes", "0.4")
    (step,) = result["levels"]
    assert (step["jobs"]["n"], step["problems"]) == (1, 0)
    assert step["jobs"]["jobs"] >= 3
    assert running.ok("projects", "list")["projects"] == []
    assert running.ok("workers", "list")["wanted"] == wanted
    assert running.ok("status")["verdict"] == "ok"


def test_the_number_of_workers_outlives_a_stop_and_an_edit_of_the_configuration_wins(running: Qfc) -> None:
    running.ok("workers", "scale", "3")
    running.ok("down")
    running.ok("up")
    assert running.ok("status")["services"][2]["running"] == 3
    running.ok("init", "local", "--workers", "1")
    running.ok("up")
    assert running.ok("status")["services"][2]["running"] == 1
    running.ok("init", "local", "--workers", "2")
    running.ok("up")


def test_one_service_can_be_restarted(running: Qfc) -> None:
    app, database = running.pid("app"), running.pid("db")
    document = running.ok("services", "restart", "--service", "app")
    assert document["names"] == ["app"]
    assert running.pid("app") != app
    assert running.pid("db") == database
    assert running.ok("status")["verdict"] == "ok"


def test_recreating_one_service_after_a_change_of_settings_leaves_none_stopped(running: Qfc) -> None:
    settings = running.home / "local/node.env"
    settings.write_text("LOGLEVEL=WARNING\n")
    running.ok("services", "recreate", "--service", "app")
    services = running.ok("status")["services"]
    assert {one["name"]: one["running"] for one in services} == {"db": 1, "app": 1, "worker_wrapper": 2}
    settings.unlink()


def test_a_running_stack_keeps_its_folder_and_a_folder_its_stack(running: Qfc) -> None:
    answer = running("--json", "init", "local", "--folder", str(running.home / "other"))
    assert answer.code == 4
    assert "is running" in answer.json["error"]["message"]
    answer = running("--json", "init", "second", "--folder", str(running.home / "local"))
    assert answer.code == 2
    assert "is also that of" in answer.json["error"]["message"]


def test_recreate_renews_everything(running: Qfc) -> None:
    before = {process.pid for process in running.processes()}
    running.ok("services", "recreate", "--all")
    assert before.isdisjoint(process.pid for process in running.processes())
    assert running.ok("status")["verdict"] == "ok"


@pytest.mark.parametrize("command", ["rebuild --all", "prune"])
def test_what_only_containers_have_is_refused_with_a_reason(running: Qfc, command: str) -> None:
    answer = running("--json", "services", *command.split())
    assert answer.code == 4
    assert "embedded" in answer.json["error"]["message"]


def test_an_unknown_service_is_told(running: Qfc) -> None:
    answer = running("--json", "services", "restart", "--service", "nginx")
    assert answer.code == 1
    assert "db, app, worker_wrapper" in answer.json["error"]["hint"]


def test_disk_names_the_parts(running: Qfc) -> None:
    document = running.ok("services", "disk")
    parts = {part["name"]: part["bytes"] for part in document["parts"]}
    assert parts["database"] > 10_000_000
    assert {"files", "logs"} <= set(parts)
    assert document["disk"]["total_bytes"] > 0


def test_a_port_that_another_program_uses_is_refused_or_replaced_on_request(qfc: Qfc) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        taken = stranger.getsockname()[1]
        qfc.ok("init", "local", "--workers", "0")
        remembered = f'{{"port": {taken}, "bind": "127.0.0.1", "workers": [], "given": {{}}}}'
        (qfc.home / "local/state.json").write_text(remembered)
        refused = qfc("--json", "up", QFC_PORT="")
        assert refused.code == 4
        assert f"pid {os.getpid()}" in refused.json["error"]["message"]
        assert qfc.processes() == []
        up = qfc("--json", "up", "--any-port", QFC_PORT="").json
        assert not up["url"].endswith(f":{taken}")
        assert answers(up["url"])


def test_a_configured_port_that_is_taken_is_an_error_that_starts_nothing(qfc: Qfc) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        qfc.ok("init", "local", "--port", str(stranger.getsockname()[1]))
        answer = qfc("--json", "up", QFC_PORT="")
    assert answer.code == 4
    assert "is used by" in answer.json["error"]["message"]
    assert qfc.processes() == []


def test_a_port_for_one_start_is_told_and_the_configured_one_comes_back(qfc: Qfc) -> None:
    kept, given = free_port(), free_port()
    qfc.ok("init", "local", "--workers", "0", "--port", str(kept))
    assert f"The next start uses port {kept}, not {given}." in qfc("up", "--port", str(given), QFC_PORT="").out
    qfc.ok("down")
    again = qfc("up", QFC_PORT="")
    assert f":{kept}" in again.out
    assert "next start" not in again.out
    assert "next start" not in qfc("up", "--port", str(kept), QFC_PORT="").out


def test_a_database_that_cannot_start_is_told_with_its_last_words(qfc: Qfc) -> None:
    qfc.ok("init", "local", "--workers", "0")
    qfc("up")
    qfc.ok("down")
    control = qfc.home / "local/db/global/pg_control"
    control.write_bytes(b"garbage")
    answer = qfc("--json", "up")
    assert answer.code == 3
    assert "db does not become ready" in answer.json["error"]["message"]
    assert "qfc logs --service db" in answer.json["error"]["hint"]


def test_a_deep_folder_still_works(qfc: Qfc) -> None:
    deep = qfc.home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    qfc.ok("init", "local", "--workers", "0", "--folder", str(deep / "stack"))
    assert answers(qfc("--json", "up").json["url"])
    elsewhere = Layout(deep / "stack").run
    assert elsewhere.is_dir()
    qfc.ok("down")
    assert not elsewhere.exists()


def test_secrets_are_files_of_the_owner_and_nowhere_else(running: Qfc) -> None:
    folder = running.home / "local"
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    values = [path.read_text().strip() for path in (folder / "secrets").iterdir() if path.name.isupper()]
    assert len(values) == 2
    for path in (folder / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    texts = [path.read_text(errors="replace") for path in _readable(folder)]
    command_lines = [" ".join(process.cmdline()) for process in running.processes()]
    for value in values:
        assert not any(value in text for text in [*texts, *command_lines])


def _readable(folder: Path) -> list[Path]:
    kept = [path for path in folder.rglob("*") if path.is_file() and "secrets" not in path.parts]
    return [path for path in kept if path.suffix in {".conf", ".log", ".jsonl", ".json"}]
