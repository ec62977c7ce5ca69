"""The skill: its convention, its links and commands, its scripts, its installation."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from qfc.cli.main import root, run
from qfc.errors import UsageError
from qfc.skill import files
from qfc.skill.scripts import SCRIPTS, Flag, Script, script
from qfc.skill.translate import command_line

SKILL = Path(__file__).resolve().parents[2] / "skill/qfieldcloud"
PAGES = sorted(SKILL.rglob("*.md"))
#: The keys of a skill's front matter; others are refused by programs that read it.
KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
#: A command of qfc as pages write it: in backticks, or at the start of a line of an example.
TYPED = re.compile(r"(?:`|^)qfc ((?:[a-z]+)(?: [^`\n]*?)?)(?=`|  +|$)", re.MULTILINE)

#: What each script does with flags that operators know, and what qfc gets.
TRANSLATED = {
    "status.py": "status",
    "status.py --json": "status --json",
    "deploy.py --branch master --migrate --collectstatic": "deploy --branch master --migrate --collectstatic",
    "deploy.py --rollback --yes": "deploy rollback --yes",
    "logs.py --service app --lines 100 --follow --grep ERROR": "logs --service app --lines 100 --follow --grep ERROR",
    "database.py --action status": "db status",
    "database.py --action backup": "db backup",
    "database.py --action restore --to 20261130-1 --dry-run": "db restore --to 20261130-1 --dry-run",
    "database.py --action migrate": "db migrate",
    "database.py --action=shell": "db shell",
    "health.py --verbose": "health --verbose",
    "health.py --endpoint=/api/v1/status/": "health --endpoint /api/v1/status/",
    "users.py --action list": "users list",
    "users.py --action create --username anna --email a@b.c --generate": "users create anna --email a@b.c --generate",
    "users.py --action quota --username anna --quota 20GB": "users quota anna --set 20GB",
    "docker.py --action restart --service worker_wrapper": "services restart --service worker_wrapper",
    "docker.py --action rebuild --all": "services rebuild --all",
    "docker.py --action recreate --all": "services recreate --all",
    "docker.py --action prune": "services prune",
    "docker.py --action check-disk": "services disk",
    "projects.py --action list": "projects list",
    "projects.py --action status --project anna/survey": "projects status anna/survey",
    "projects.py --action export --project anna/survey": "projects export anna/survey",
    "sync.py --action queue": "sync queue",
    "sync.py --action recent --hours 12": "sync recent --hours 12",
    "sync.py --action failed --hours 24 --stack field": "sync failed --hours 24 --stack field",
    "queue_monitor.sh": "metrics show",
    "queue_monitor.sh --csv": "metrics export --csv",
    "queue_monitor.sh --import -": "metrics import -",
    "qfield_rate_limiter.sh": "ratelimit status",
    "qfield_rate_limiter.sh --status --json": "ratelimit status --json",
    "qfield_rate_limiter.sh --enable": "ratelimit enable",
    "qfield_rate_limiter.sh --disable": "ratelimit disable",
    "qfield_rate_limiter.sh --throttle anna/survey": "ratelimit throttle anna/survey",
    "qfield_rate_limiter.sh --throttle a/b --rate 2/min --for 2h": "ratelimit throttle a/b --rate 2/min --for 2h",
    "qfield_rate_limiter.sh --unthrottle anna/survey": "ratelimit unthrottle anna/survey",
    "qfield_monitor_daemon.py": "monitor run",
    "qfield_monitor_daemon.py --install": "monitor install",
    "qfield_monitor_daemon.py --uninstall": "monitor uninstall",
    "qfield_monitor_daemon.py --status --json": "monitor status --json",
    "qfield_monitor_daemon.py --incidents": "monitor incidents",
    "qfield_cron_jobs.sh": "maintenance list",
    "qfield_cron_jobs.sh --install": "maintenance install --cron",
    "qfield_cron_jobs.sh --uninstall --yes": "maintenance uninstall --yes",
    "qfield_cron_jobs.sh --history": "maintenance history",
    "SETUP_PREVENTION.sh": "protect",
    "SETUP_PREVENTION.sh --backups /mnt/b --dry-run": "protect --backups /mnt/b --dry-run",
    "SETUP_PREVENTION.sh --no-backups --without monitor": "protect --no-backups --without monitor",
    "SETUP_PREVENTION.sh --undo --yes": "protect --undo --yes",
    "SETUP_PREVENTION.sh --status": "protect --status",
    "qfield_quick_check.sh": "maintenance run quick-check",
    "qfield_cleanup.sh --dry-run": "maintenance run cleanup --dry-run",
    "qfield_scheduled_restart.sh": "maintenance run restart-workers",
    "qfield_daily_maintenance.sh": "maintenance run daily",
    "qfield_stats.sh --json": "maintenance run stats --json",
    "sync_diagnostic.py": "sync diagnose",
    "sync_diagnostic.py --fix": "sync diagnose --fix",
}


def translated(typed: str) -> list[str]:
    name, *arguments = typed.split()
    found = script(name)
    assert found
    return command_line(found, arguments)


@pytest.mark.parametrize("typed", TRANSLATED)
def test_a_script_s_command_line_becomes_one_of_qfc(typed: str) -> None:
    words = TRANSLATED[typed].split()
    # The order of options does not matter to click; what comes first, the command, does.
    assert sorted(translated(typed)) == sorted(words)
    assert translated(typed)[0] == words[0]
    assert accepted(translated(typed)) is None


@pytest.mark.parametrize("one", SCRIPTS, ids=lambda one: one.name)
def test_each_script_was_tried(one: Script) -> None:
    tried = [typed for typed in TRANSLATED if typed.startswith(one.name)]
    assert tried
    if one.actions and one.name != "database.py":
        assert {action for action in one.actions if any(f"--action {action}" in typed for typed in tried)} >= {
            *one.actions
        } - {"password", "unlock"}


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("status.py --hours 3", "No such option", "status.py takes --json"),
        ("sync.py --actoin queue", "--actoin", "--action queue|recent|failed"),
        ("sync.py --action all", "'all' is not one of", "--action queue|recent|failed"),
        ("sync.py --action queue --hours 3", "--hours does not go with --action queue", "--action recent"),
        ("users.py", "Missing option '--action'", "--username NAME"),
        ("deploy.py --rollback --history", "--rollback and --history exclude each other", "only one"),
    ],
)
def test_wrong_flags_get_the_right_ones_named(typed: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        translated(typed)
    assert message in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_flag_that_selects_a_command_gives_its_value_as_an_argument() -> None:
    one = Script("limits.sh", "Limits.", None, flags=(Flag("--throttle", "One.", "PROJECT", command=("a", "b")),))
    assert command_line(one, ["--throttle", "anna/survey"]) == ["a", "b", "anna/survey"]
    with pytest.raises(UsageError, match="not told what to do"):
        command_line(one, [])


def accepted(words: list[str]) -> str | None:
    """Return why the command line of qfc would be refused; None if it would not."""
    context, command = click.Context(root, info_name="qfc"), root.get_command(click.Context(root), words[0])
    rest = words[1:]
    while isinstance(command, click.Group):
        if not rest or rest[0] not in command.commands:
            return None if command.invoke_without_command or not rest else f"no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    if command is None:
        return f"no command {words[0]}"
    try:
        command.make_context("qfc", rest, parent=context, resilient_parsing=False)
    except click.UsageError as error:
        return error.format_message()
    return None


def front_matter() -> dict[str, Any]:
    _, head, _ = (SKILL / "SKILL.md").read_text().split("---\n", 2)
    return yaml.safe_load(head)


def test_the_front_matter_follows_the_convention() -> None:
    head = front_matter()
    assert set(head) <= KEYS
    assert head["name"] == SKILL.name == files.NAME
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head["name"])
    assert len(head["name"]) <= 64
    assert 0 < len(head["description"]) <= 1024
    assert len(head["compatibility"]) <= 500
    assert len((SKILL / "SKILL.md").read_text().splitlines()) < 500


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_of_the_skill_one_level_deep(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).resolve().is_relative_to(SKILL)
        assert (page.parent / target).is_file()
        assert page.name == "SKILL.md", "only SKILL.md may name further pages"


def test_every_command_of_the_skill_exists() -> None:
    typed = TYPED.findall((SKILL / "SKILL.md").read_text())
    assert len(typed) > 40
    wrong = {one: why for one in typed if (why := accepted(as_typed(one)))}
    assert wrong == {}


def as_typed(one: str) -> list[str]:
    """Return the words of a command; a number stands where pages write N."""
    return ["3" if word == "N" else word for word in one.split() if word != "…"]


def test_every_script_of_the_table_of_the_skill_exists() -> None:
    named = re.findall(r"`scripts/([a-zA-Z_]+\.(?:py|sh))", (SKILL / "SKILL.md").read_text())
    assert set(named) == {one.name for one in SCRIPTS}


def test_a_script_calls_qfc_and_has_its_exit_code(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "QFC_HOME": str(tmp_path), "HOME": str(tmp_path)}

    def called(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(SKILL / "scripts" / words[0]), *words[1:]]
        return subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    refused = called("status.py", "--json")
    assert (refused.returncode, '"code"' in refused.stdout) == (2, True)
    wrong = called("sync.py", "--action", "nothing")
    assert wrong.returncode == 2
    assert "--action queue|recent|failed" in wrong.stderr
    shown = called("users.py", "--help")
    assert (shown.returncode, "--username NAME" in shown.stdout) == (0, True)


def test_a_script_without_qfc_says_how_to_install_it(tmp_path: Path) -> None:
    """A copy of the skill far from any clone, and no qfc on PATH."""
    files.install(SKILL, tmp_path / "qfieldcloud")
    argv = [sys.executable, "-I", "-c", "import sys, runpy; sys.path.insert(0, sys.argv[1]); sys.argv = sys.argv[2:]; "
            "runpy.run_path(sys.argv[0], run_name='__main__')", str(tmp_path / "qfieldcloud/scripts"),
            str(tmp_path / "qfieldcloud/scripts/status.py")]  # fmt: skip
    done = subprocess.run(argv, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Type: pipx install qfieldcloud-suite" in done.stderr


def test_an_unknown_script_gets_the_known_ones_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["skill", "run", "stauts.py"]) == 2
    assert "Did you mean status.py?" in capsys.readouterr().err


class TestInstallation:
    def test_the_whole_folder_is_there_and_scripts_can_be_called(self, tmp_path: Path) -> None:
        assert run(["skill", "install", "--to", str(tmp_path)]) == 0
        installed = tmp_path / "qfieldcloud"
        assert set(files.contents(installed)) == set(files.contents(SKILL))
        assert (installed / "scripts/status.py").stat().st_mode & 0o111
        assert run(["skill", "install", "--to", str(tmp_path)]) == 0, "the same again changes nothing"

    def test_files_that_differ_are_not_replaced_without_a_yes(self, tmp_path: Path) -> None:
        run(["skill", "install", "--to", str(tmp_path)])
        own = tmp_path / "qfieldcloud/SKILL.md"
        own.write_text("mine")
        assert run(["skill", "install", "--to", str(tmp_path)]) == 4
        assert own.read_text() == "mine"
        assert run(["--dry-run", "skill", "install", "--to", str(tmp_path)]) == 0
        assert own.read_text() == "mine"
        assert run(["--yes", "skill", "install", "--to", str(tmp_path)]) == 0
        assert own.read_text() == (SKILL / "SKILL.md").read_text()

    def test_a_folder_that_is_no_skill_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "qfieldcloud").mkdir()
        (tmp_path / "qfieldcloud/thesis.txt").write_text("years of work")
        assert run(["--yes", "skill", "install", "--to", str(tmp_path)]) == 4
        assert (tmp_path / "qfieldcloud/thesis.txt").read_text() == "years of work"

    def test_an_archive_holds_the_folder(self, tmp_path: Path) -> None:
        for name in ("one.zip", "two.zip"):
            assert run(["skill", "install", "--to", str(tmp_path / name)]) == 0
        assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
        with zipfile.ZipFile(tmp_path / "one.zip") as archive:
            assert set(archive.namelist()) == {f"qfieldcloud/{one}" for one in files.contents(SKILL)}
            assert archive.getinfo("qfieldcloud/scripts/status.py").external_attr >> 16 == 0o100755

    def test_for_a_user_and_for_a_project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        assert run(["skill", "install"]) == 0
        assert run(["skill", "install", "--project"]) == 0
        assert (tmp_path / "home/.claude/skills/qfieldcloud/SKILL.md").is_file()
        assert (tmp_path / "here/.claude/skills/qfieldcloud/SKILL.md").is_file()
        assert run(["skill", "install", "--project", "--user"]) == 2

    def test_its_place_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--quiet", "skill", "path"]) == 0
        assert capsys.readouterr().out.strip() == str(SKILL)
