"""Management commands of the node: upstream's names and options, passwords never among the arguments."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qfc.drivers.accounts.official import OfficialAccounts
from qfc.drivers.postgres_server import Endpoint
from qfc.errors import CommandError

PASSWORD = "correct-horse-battery"


@pytest.fixture
def run(node_database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command with a text on standard input and returns what it printed."""
    from django.core.management import call_command

    del node_database

    def call(*arguments: str, stdin: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        written = io.StringIO()
        call_command(*arguments, stdout=written, stderr=written)
        return written.getvalue()

    return call


def new_user(name: str, *options: str) -> list[str]:
    return ["createuser", "--username", name, "--email", f"{name}@example.com", *options]


def test_a_user_is_made_with_the_password_from_standard_input(run: Any) -> None:
    from qfc_node.core.models import Person, Subscription

    assert "Created user alice" in run(*new_user("alice", "--password-stdin"), stdin=f"{PASSWORD}\n")
    alice = Person.objects.get(username="alice")
    assert alice.check_password(PASSWORD)
    assert not alice.is_superuser
    assert Subscription.objects.filter(account__user=alice).count() == 1


def test_several_people_may_have_no_address(run: Any) -> None:
    from qfc_node.core.models import Person

    for name in ("alice", "bob"):
        run("createuser", "--username", name, "--email", "", "--password-stdin", stdin=PASSWORD)
    assert Person.objects.filter(email="").count() == 2


def test_a_superuser_is_made_with_the_password_from_the_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qfc_node.core.models import Person

    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    run(*new_user("root", "--superuser"))
    root = Person.objects.get(username="root")
    assert (root.is_superuser, root.is_staff, root.check_password(PASSWORD)) == (True, True, True)
    run("createsuperuser", "--noinput", "--username", "root2", "--email", "root2@example.com")
    root2 = Person.objects.get(username="root2")
    assert (root2.is_superuser, root2.is_staff, root2.check_password(PASSWORD)) == (True, True, True)


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        (new_user("ALICE", "--password-stdin"), PASSWORD, "already"),
        (new_user("bob", "--password-stdin"), "", "No password"),
        (new_user("bob"), PASSWORD, "No password"),
        (new_user("bob", "--password-stdin"), "password", "too common"),
        (new_user("no way", "--password-stdin"), PASSWORD, "letters"),
        (["createuser", "--username", "bob", "--email", "x", "--password-stdin"], PASSWORD, "email"),
        (["createuser", "--username", "bob", "--email", "A@example.com", "--password", PASSWORD], "", "already"),
        (["setpassword", "nemo", "--password-stdin"], PASSWORD, "No user is named"),
        (["purge_old_file_versions", "--projects", "00000000-0000-0000-0000-000000000000"], "", "does not exist"),
    ],
)
def test_what_is_wrong_is_said(run: Any, arguments: list[str], stdin: str, complaint: str) -> None:
    from django.core.management import CommandError

    from qfc_node.core.models import Person

    Person.objects.create_person("alice", "a@example.com", PASSWORD)
    with pytest.raises(CommandError, match=complaint):
        run(*arguments, stdin=stdin)
    assert Person.objects.count() == 1


def test_a_new_password_ends_the_tokens(run: Any) -> None:
    from api_world import Speaker, person

    alice = person("alice")
    phone = Speaker(alice)
    assert "Tokens ended: 1." in run("setpassword", "ALICE", "--password-stdin", stdin="another-battery")
    alice.refresh_from_db()
    assert alice.check_password("another-battery")
    assert phone.get("auth/user/").status_code == 401
    kept = Speaker(alice)
    run("setpassword", "alice", "--password-stdin", "--keep-tokens", stdin=PASSWORD)
    assert kept.get("auth/user/").status_code == 200


def test_status_tells_and_fails(run: Any) -> None:
    from django.conf import settings

    assert run("status").strip() == "database: ok, storage: ok, queue: ok"
    shutil.rmtree(settings.DATA_DIR / "staging")
    (settings.DATA_DIR / "staging").write_text("a file where the folder has to be")
    with pytest.raises(SystemExit) as stopped:
        run("status")
    assert stopped.value.code == 1


def test_bytes_are_counted_listed_and_purged(run: Any) -> None:
    from api_world import person
    from qfc_node.core.models import FileVersion, Plan, Project
    from stored_files import put_file

    alice = person("alice")
    project = Project.objects.create(name="survey", owner=alice)
    for content in (b"1", b"22", b"333"):
        put_file(project, "notes.txt", content)
    Project.objects.update(file_storage_bytes=0)
    assert f"{project.pk}: 6 bytes" in run("calcprojectstorage")
    assert run("calcprojectstorage") == ""
    assert f"{project.pk}: 6 bytes" in run("calcprojectstorage", str(project.pk), "--force-recalculate")
    assert run("listfiles", "alice", "--level", "file") == f"6\t3\t{project.pk}\tnotes.txt\n"
    assert run("listfiles", str(project.pk)[:8], "--level", "project") == f"6\t3\t{project.pk}\talice\tsurvey\n"
    assert len(run("listfiles", str(project.pk)).splitlines()) == 3
    Plan.objects.update(storage_keep_versions=1)
    assert "Versions to remove: 2." in run("purge_old_file_versions")
    assert FileVersion.objects.count() == 3
    assert "Versions removed: 2." in run("purge_old_file_versions", "--force", "--projects", str(project.pk))
    assert FileVersion.objects.get().size == 3
    project.refresh_from_db()
    assert project.file_storage_bytes == 3


def test_missing_accounts_are_made(run: Any) -> None:
    from api_world import person
    from qfc_node.core.models import Subscription, UserAccount

    person("alice")
    UserAccount.objects.all().delete()
    assert "alice" in run("createuseraccounts")
    assert run("createuseraccounts") == ""
    assert Subscription.objects.count() == 1


class HereEngine:
    """Runs what would run in the application's container, in this process; the node has the same names here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def run(self, argv: Sequence[str], *, stdin: bytes, timeout_s: float) -> Any:
        """Execute the program of the arguments with this standard input."""
        del timeout_s
        printed = io.StringIO()
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin.decode()))
        with redirect_stdout(printed):
            exec(argv[-1], {})
        return SimpleNamespace(stdout=printed.getvalue())


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("bad name", PASSWORD, "letters|characters"),
        ("anna", "short", "too short"),
        ("anna", PASSWORD, None),
    ],
)
def test_an_official_server_is_given_no_account_that_its_admin_refuses(
    run: Any, monkeypatch: pytest.MonkeyPatch, name: str, password: str, told: str | None
) -> None:
    from qfc_node.core.models import Person

    del run
    accounts = OfficialAccounts(cast(Any, HereEngine(monkeypatch)), cast(Any, SimpleNamespace(id="app")))
    if told is None:
        accounts.create(name, email="", password=password, superuser=False)
    else:
        with pytest.raises(CommandError, match=told):
            accounts.create(name, email="", password=password, superuser=False)
    assert Person.objects.filter(username=name).exists() is (told is None)
