"""The command line before any stack exists: help, wrong usage, configuration, completion."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from qfc.cli.main import command_names
from qfc_command import Qfc

#: It refers to nothing on this machine, whatever else runs here.
FAR = '[stacks.far]\nkind = "compose"\nhost = "nobody.invalid"\nproject_path = "/srv/qfieldcloud"\n'


def test_help_is_a_page_that_names_every_command(qfc: Qfc) -> None:
    answer = qfc("--help")
    assert (answer.code, answer.err) == (0, "")
    listed = {line.split()[0] for line in answer.out.splitlines() if line.startswith("  ") and line.strip()}
    assert set(command_names()) <= listed
    assert "qfc init" in answer.out
    assert "Exit codes" in answer.out


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help(qfc: Qfc, name: str) -> None:
    answer = qfc(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"qfc {name}" in answer.out


def test_help_imports_no_command_and_nothing_heavy(qfc: Qfc) -> None:
    process = qfc.begin("--help", PYTHONVERBOSE="1")
    _, err = process.communicate(timeout=60)
    for module in ("qfc.cli.status", "psycopg", "rich", "psutil", "tomlkit", "django"):
        assert f"import '{module}'" not in err
    assert "import 'click'" in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nonsense"], "nonsense"),
        (["status", "--nonsense"], "nonsense"),
        (["up", "--workers", "many"], "many"),
        (["logs", "--since", "yesterday"], "yesterday"),
        (["logs", "--lines", "0"], "lines"),
        (["services", "restart"], "--all"),
        (["--stack"], "--stack"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_way_out(qfc: Qfc, arguments: list[str], word: str) -> None:
    qfc.ok("init")
    answer = qfc(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert word in answer.err
    assert answer.err.startswith("Error: ")
    assert len(answer.err.splitlines()) <= 3


def test_errors_for_machines_are_one_document_on_standard_output(qfc: Qfc) -> None:
    for arguments in (["--json", "status"], ["status", "--json"], ["--json", "nonsense"], ["status", "--json", "-x"]):
        answer = qfc(*arguments)
        assert answer.code == 2
        assert set(answer.json["error"]) >= {"code", "message", "hint"}
        assert answer.err == ""


def test_without_a_configuration_the_next_step_is_told(qfc: Qfc) -> None:
    answer = qfc("status")
    assert answer.code == 2
    assert "qfc init" in answer.err


def test_every_mistake_of_the_configuration_is_told_at_once(qfc: Qfc) -> None:
    (qfc.home / "config.toml").write_text('[stacks.a]\nport = "x"\nworkers = -1\ncolour = 1\n')
    error = qfc("--json", "status", QFC_PORT="").json["error"]
    assert error["code"] == "configuration"
    assert len(error["problems"]) == 3


def test_init_writes_once_and_says_when_there_is_nothing_to_change(qfc: Qfc) -> None:
    assert qfc.ok("init", "--port", "9123")["changed"] is True
    written = (qfc.home / "config.toml").read_text()
    assert qfc.ok("init", "--port", "9123")["changed"] is False
    assert (qfc.home / "config.toml").read_text() == written


def test_a_home_is_a_world_of_its_own(qfc: Qfc, tmp_path: Path) -> None:
    for home in (tmp_path / "one", tmp_path / "two"):
        own = {"QFC_CONFIG": "", "QFC_HOME": str(home)}
        assert qfc.ok("stacks", **own)["stacks"] == []
        assert qfc.ok("init", home.name, **own)["config"] == str(home / "config.toml")
        assert [line["name"] for line in qfc.ok("stacks", **own)["stacks"]] == [home.name]


def test_a_configuration_that_was_elsewhere_is_named_with_what_to_type(qfc: Qfc, tmp_path: Path) -> None:
    elsewhere = {"QFC_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path)}
    (tmp_path / "qfc").mkdir()
    (tmp_path / "qfc/config.toml").write_text("[stacks.local]\n")
    (qfc.home / "local").mkdir()
    answer = qfc("stacks", **elsewhere)
    assert answer.code == 2
    hint = answer.err.splitlines()[-1]
    subprocess.run(["sh", "-c", hint.removeprefix("Type: ").partition("   (")[0]], check=True)
    assert [line["name"] for line in qfc.ok("stacks", **elsewhere)["stacks"]] == ["local"]


def test_init_checks_before_it_writes(qfc: Qfc) -> None:
    qfc.ok("init")
    before = (qfc.home / "config.toml").read_text()
    answer = qfc("init", "--port", "99999", QFC_PORT="")
    assert answer.code == 2
    assert (qfc.home / "config.toml").read_text() == before


def test_a_dry_run_of_init_changes_nothing(qfc: Qfc) -> None:
    document = qfc.ok("init", "--dry-run")
    assert document["dry_run"] is True
    assert document["steps"]
    assert list(qfc.home.iterdir()) == []


def test_stacks_lists_what_is_configured(qfc: Qfc) -> None:
    assert qfc.ok("stacks")["stacks"] == []
    qfc.ok("init", "one")
    qfc.ok("init", "two", "--default")
    (qfc.home / "config.toml").write_text((qfc.home / "config.toml").read_text() + FAR)
    lines = {line["name"]: line for line in qfc.ok("stacks")["stacks"]}
    assert list(lines) == ["one", "two", "far"]
    assert [name for name, line in lines.items() if line["default"]] == ["two"]
    assert (lines["one"]["state"], lines["one"]["verdict"]) == ("stopped", "down")
    assert (lines["far"]["state"], lines["far"]["verdict"]) == ("unknown", "unknown")
    assert lines["far"]["detail"]


def test_a_stack_is_removed_from_the_configuration_and_its_data_stay(qfc: Qfc) -> None:
    qfc.ok("init", "one")
    qfc.ok("init", "two")
    (qfc.home / "one/db").mkdir(parents=True)
    assert qfc("stacks", "remove", "one").code == 4
    removed = qfc.ok("stacks", "remove", "one", "--yes")
    assert (removed["data_deleted"], (qfc.home / "one/db").is_dir()) == (False, True)
    assert [line["name"] for line in qfc.ok("stacks")["stacks"]] == ["two"]
    assert "default" not in tomllib.loads((qfc.home / "config.toml").read_text())


def test_data_of_a_stack_are_deleted_on_request_and_nothing_else_is(qfc: Qfc) -> None:
    qfc.ok("init", "one")
    (qfc.home / "one").mkdir(exist_ok=True)
    (qfc.home / "one/letters.txt").write_text("mine")
    assert qfc("--yes", "stacks", "remove", "one", "--with-data").code == 4
    (qfc.home / "one/db").mkdir()
    plan = qfc.ok("--dry-run", "stacks", "remove", "one", "--with-data")["steps"][-1]
    assert plan.startswith("Delete everything in")
    assert "key of its backups" not in plan
    qfc.ok("--stack", "one", "db", "keys")
    plan = qfc.ok("--dry-run", "stacks", "remove", "one", "--with-data")["steps"][-1]
    assert "with the key of its backups, which then only the recovery sheet opens" in plan
    assert qfc.ok("--yes", "stacks", "remove", "one", "--with-data")["data_deleted"] is True
    assert not (qfc.home / "one").exists()


def test_on_a_terminal_init_asks_for_the_most_important_settings(qfc: Qfc) -> None:
    ours, theirs = os.openpty()
    argv = [sys.executable, "-m", "qfc", "init"]
    process = subprocess.Popen(argv, env=qfc.environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.write(ours, f"field\n{qfc.home}/data\n9123\n\n".encode())
    assert process.wait(timeout=60) == 0
    os.close(theirs)
    os.close(ours)
    stack = tomllib.loads((qfc.home / "config.toml").read_text())["stacks"]["field"]
    assert stack == {"kind": "embedded", "folder": f"{qfc.home}/data", "port": 9123}


def test_a_stack_that_does_not_run_is_down_and_says_so(qfc: Qfc) -> None:
    qfc.ok("init")
    answer = qfc("status", "--json")
    assert answer.code == 1
    assert (answer.json["verdict"], answer.json["reasons"]) == ("down", ["The stack is not running. Type: qfc up"])
    assert answer.json["queue"] is None
    assert qfc("--quiet", "status").out == "down\n"


@pytest.mark.parametrize("arguments", [["sync", "queue"], ["users", "list"], ["jobs", "list"], ["db", "status"]])
def test_what_needs_a_running_stack_is_exit_code_3_without_one(qfc: Qfc, arguments: list[str]) -> None:
    qfc.ok("init")
    answer = qfc("--json", *arguments)
    assert answer.code == 3
    assert "qfc" in answer.json["error"]["hint"]


@pytest.mark.parametrize("package", ["shapely", "qfieldcloud_sdk"])
def test_the_demo_says_what_to_install_before_it_writes_anything(qfc: Qfc, package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from qfc.cli.main import run; sys.exit(run(['demo']))"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=qfc.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"Error: The demo needs {package}.", "Install qfieldcloud-suite[node]."]
    assert list(qfc.home.iterdir()) == []


def test_down_of_a_stack_that_never_ran_is_harmless(qfc: Qfc) -> None:
    qfc.ok("init")
    assert qfc.ok("down")["was_running"] is False


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_command(qfc: Qfc, shell: str) -> None:
    answer = qfc("completion", shell)
    assert answer.code == 0
    assert "_QFC_COMPLETE" in answer.out


def test_bash_completes_commands_and_subcommands(qfc: Qfc) -> None:
    for words, wanted in (("qfc st", {"stacks", "status"}), ("qfc services re", {"restart", "recreate", "rebuild"})):
        answer = qfc(COMP_WORDS=words, COMP_CWORD=str(words.count(" ")), _QFC_COMPLETE="bash_complete")
        assert {line.partition(",")[2] for line in answer.out.splitlines()} == wanted


def test_bash_completes_names_of_stacks(qfc: Qfc) -> None:
    qfc.ok("init", "field")
    qfc.ok("init", "office")
    answer = qfc(COMP_WORDS="qfc --stack f", COMP_CWORD="2", _QFC_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in answer.out.splitlines()] == ["field"]


def test_the_bash_script_is_valid(qfc: Qfc, tmp_path: Path) -> None:
    script = tmp_path / "qfc.bash"
    script.write_text(qfc("completion", "bash").out)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_what_is_printed_can_be_piped_into_a_program_that_stops_reading(qfc: Qfc) -> None:
    process = qfc.begin("--help")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0
    process.stderr.close()
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize("words", ["lab list", "--help"])
def test_output_that_cannot_be_written_is_one_sentence(qfc: Qfc, words: str) -> None:
    qfc.ok("init")
    done = shell(qfc, f"{words} >/dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The output cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(qfc: Qfc, streams: str) -> None:
    qfc.ok("init")
    done = shell(qfc, f"stacks {streams}")
    assert (done.returncode, done.stderr) == (0, "")


def shell(qfc: Qfc, line: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -m qfc {line}"
    return subprocess.run(["bash", "-c", command], env=qfc.environment, capture_output=True, text=True, check=False)


def test_ctrl_c_in_the_first_moments_is_no_traceback(qfc: Qfc) -> None:
    for delay_ms in range(60, 460, 80):
        process = qfc.begin("--help")
        time.sleep(delay_ms / 1000)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        # Before our first line runs, Python itself answers to the signal.
        assert "qfc/cli" not in err, err


@pytest.mark.parametrize(
    ("words", "meant"), [("statsu", "status"), ("jobs lst", "list"), ("lab break worker-mising", "worker-missing")]
)
def test_what_was_probably_meant_is_suggested(qfc: Qfc, words: str, meant: str) -> None:
    qfc.ok("init")
    assert f"Did you mean {meant}?" in qfc(*words.split()).err.replace("'", "")


def test_bash_completes_faults_and_services(qfc: Qfc) -> None:
    qfc.ok("init")
    for words, wanted in (("qfc lab break worker-m", ["worker-missing"]), ("qfc logs --service d", ["db"])):
        answer = qfc(COMP_WORDS=words, COMP_CWORD="3", _QFC_COMPLETE="bash_complete")
        assert [line.partition(",")[2] for line in answer.out.splitlines()] == wanted


def test_verbose_shows_the_traceback(qfc: Qfc) -> None:
    answer = qfc("--verbose", "--json", "status")
    assert "Traceback" in answer.err
    assert json.loads(answer.out)["error"]["code"] == "configuration"


def test_init_takes_the_name_of_a_stack_from_the_flag_too(qfc: Qfc) -> None:
    qfc.ok("init", "local")
    made = qfc.ok("--stack", "second", "init", "--port", "8099")
    assert made["stack"] == "second"
    assert qfc("--json", "--stack", "second", "init", "third").code == 2


def test_a_busy_port_is_said_before_tools_are_served(qfc: Qfc) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = qfc("--json", "mcp", "--http", str(taken.getsockname()[1]))
    assert answer.code == 4
    assert "cannot be used" in answer.json["error"]["message"]
    assert "Serving" not in answer.err
