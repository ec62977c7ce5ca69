"""The routes by which messages reach people: a webhook, a command, everything that Apprise knows."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import CommandError, ConfigError, QfcError, UnreachableError
from ...stack.findings import Severity
from ...stack.monitor import Message
from ...stack.ports.monitoring import Post
from ..commands import run

#: Seconds for one message by one route.
LIMIT_S = 30.0
#: What the program with Apprise returns when that is not installed.
MISSING = 3
KINDS = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


def routes(addresses: Path | None, command: Path | None) -> tuple[Post, ...]:
    """Return the routes of the configuration: one per line of the file, and the command. Raises ConfigError."""
    found: list[Post] = [_route(one) for one in (_lines(addresses) if addresses else ())]
    return (*found, *([CommandPost(command)] if command else []))


def _lines(path: Path) -> Sequence[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read."], hint="Check notify.addresses_file.") from error
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    for number, line in enumerate(found, start=1):
        if "://" not in line:
            raise ConfigError([f"{path}, address {number} has no ://."], hint="Write one address a line.")
    return found


def _route(address: str) -> Post:
    return WebhookPost(address) if urlsplit(address).scheme in ("http", "https") else ApprisePost(address)


def _name(address: str) -> str:
    """Return a name that tells addresses apart without what is secret in them."""
    return f"{urlsplit(address).scheme}-{hashlib.sha256(address.encode()).hexdigest()[:6]}"


class WebhookPost(Post):
    """A POST with one JSON object. Its address may hold a token and is never shown."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def name(self) -> str:
        return _name(self._address)

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        body = {
            **about,
            "title": message.title,
            "body": message.body,
            "severity": message.severity.value,
            "alerts": list(message.alerts),
        }
        headers = {"Content-Type": "application/json", "User-Agent": "qfc"}
        request = urllib.request.Request(self._address, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # nosec B310 -- http and https alone
                answer.read(1024)
        except urllib.error.HTTPError as error:
            error.close()
            raise QfcError(f"The webhook answered {error.code}.") from error
        except (OSError, ValueError, HTTPException) as error:
            raise UnreachableError(f"The webhook does not answer: {type(error).__name__}.") from error


class CommandPost(Post):
    """A program of the operator: the text is its input, the rest is in variables."""

    def __init__(self, program: Path) -> None:
        self._program = program

    @property
    def name(self) -> str:
        return f"command-{self._program.name}"

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        variables = {f"QFC_{name.upper()}": value for name, value in about.items()}
        variables |= {"QFC_TITLE": message.title, "QFC_SEVERITY": message.severity.value}
        environment = {**os.environ, **variables, "QFC_ALERTS": " ".join(message.alerts)}
        run([str(self._program)], environment=environment, stdin=message.body.encode(), timeout_s=LIMIT_S)


class ApprisePost(Post):
    """An address that Apprise knows: e-mail, Slack, Telegram, ntfy and a hundred more.

    It is loaded in a process of its own, which ends: it takes more memory than the whole monitor.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def name(self) -> str:
        return _name(self._address)

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        del about
        letter = {"address": self._address, "title": message.title, "body": message.body}
        stdin = json.dumps({**letter, "kind": KINDS[message.severity]}).encode()
        argv = [sys.executable, "-m", "qfc.drivers.monitoring.apprise_program"]
        done = run(argv, environment=dict(os.environ), stdin=stdin, timeout_s=LIMIT_S * 2, check=False)
        if done.exit_code == MISSING:
            raise ConfigError(["Apprise is not installed."], hint="Type: pip install 'qfieldcloud-suite[monitor]'")
        if done.exit_code:
            raise CommandError(f"Apprise could not send by {self.name}: exit code {done.exit_code}.")
