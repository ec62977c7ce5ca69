"""Accounts of an official server, created by the application in its own container.

Its command `createuser` takes the password as an argument, which every process list shows. So a few lines of Python
call that command inside the application; they and the password arrive over standard input.
"""

from __future__ import annotations

import json
from typing import Any

from ...errors import CommandError, QfcError
from ...stack.ports import Accounts
from ..docker.containers import Container
from ..docker.engine import Engine

COMMAND_S = 120.0
#: Marks our answer in the output that the application prints at its start.
ANSWER = "qfc-answer:"
_LOADER = "import sys; exec(compile(sys.stdin.readline().encode().decode('unicode_escape'), 'qfc', 'exec'))"
_FRAME = """
import json, sys
import django
asked = json.loads(sys.stdin.readline())
django.setup()
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError
answer = {}
try:
    person = get_user_model().objects
    BODY
except (CommandError, DatabaseError) as error:
    answer = {"error": str(error).strip().splitlines()[0]}
except ValidationError as error:
    answer = {"error": " ".join(error.messages)}
print("ANSWER" + json.dumps(answer))
"""
# The official command takes any name and password; the admin would refuse both. Superusers that it creates have no
# access to the admin.
_CREATE = """
    from django.contrib.auth.password_validation import validate_password
    if person.filter(username__iexact=asked["username"]).exists():
        raise CommandError("There is an account named %s already." % asked["username"])
    made = get_user_model()(username=asked["username"], email=asked["email"])
    made.clean_fields(exclude=["password"])
    validate_password(asked["password"], made)
    call_command("createuser", **asked)
    if asked["superuser"]:
        person.filter(username=asked["username"]).update(is_staff=True)
"""
_PASSWORD = """
    from django.contrib.auth.password_validation import validate_password
    found = person.filter(username__iexact=asked["username"]).first()
    if found is None:
        raise CommandError("There is no account named %s." % asked["username"])
    validate_password(asked["password"], found)
    found.set_password(asked["password"])
    found.save(update_fields=["password"])
"""


class OfficialAccounts(Accounts):
    """Creates and changes accounts inside the container of the application."""

    def __init__(self, engine: Engine, container: Container) -> None:
        self._engine, self._container = engine, container

    def create(self, username: str, *, email: str, password: str, superuser: bool) -> None:
        asked = {"username": username, "email": email, "password": password, "superuser": superuser}
        self._ask("createuser", _CREATE, asked)

    def set_password(self, username: str, password: str) -> None:
        """Set a user's password. The caller has to end the tokens, in the database."""
        self._ask("setpassword", _PASSWORD, {"username": username, "password": password})

    def _ask(self, name: str, body: str, asked: dict[str, Any]) -> None:
        answer = in_application(self._engine, self._container, body, asked)
        if "error" in answer:
            raise CommandError(f"{name}: {answer['error']}")


def in_application(engine: Engine, container: Container, body: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Run a few lines inside the application; `asked` and `answer` are theirs. Raises CommandError."""
    script = _FRAME.replace("    BODY\n", body.lstrip("\n")).replace("ANSWER", ANSWER)
    line = script.encode("unicode_escape").decode("ascii")
    argv = ["docker", "exec", "--interactive", container.id, "python3", "-c", _LOADER]
    done = engine.run(argv, stdin=f"{line}\n{json.dumps(asked)}\n".encode(), timeout_s=COMMAND_S)
    for printed in reversed(done.stdout.splitlines()):
        if printed.startswith(ANSWER):
            return json.loads(printed.removeprefix(ANSWER))
    raise QfcError("The application did not answer.", hint="See: qfc logs --service app")
