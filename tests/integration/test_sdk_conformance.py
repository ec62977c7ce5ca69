"""The official clients, unmodified, against the node: every method of the SDK, every command of `qfieldcloud-cli`.

The lists come from the installed clients: a method or command that is new in a release fails here until a test covers
it and `docs/reference/client_compatibility.md` names it.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from qfieldcloud_sdk.cli import cli
from qfieldcloud_sdk.sdk import Client, QfcRequestException

from cli_calls import CLI_CALLS, run_cli
from client_world import ClientWorld
from node import Node
from qfc.drivers.postgres_server import Endpoint, connect
from sdk_calls import PROJECT_CALLS
from sdk_group_calls import GROUP_CALLS

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "client_compatibility.md"
METHODS = sorted(name for name, _ in inspect.getmembers(Client, callable) if not name.startswith("_"))
COMMANDS = sorted(cli.commands)
SDK_CALLS = {**PROJECT_CALLS, **GROUP_CALLS}


@pytest.fixture(scope="module")
def world(postgres_server: Endpoint, template_database: Endpoint, short_folder: Path) -> Iterator[ClientWorld]:
    """One node for the whole module: each test creates what it needs."""
    folder = short_folder / uuid.uuid4().hex[:8]
    (folder / "node").mkdir(parents=True, mode=0o755)
    with connect(replace(postgres_server, database="postgres"), autocommit=True) as connection:
        connection.execute("create database conformance template qfc_template")
    with Node(replace(template_database, database="conformance"), folder / "node") as node:
        node.start_app()
        node.start_worker()
        node.start_worker()
        (folder / "client").mkdir()
        yield ClientWorld(node, folder / "client")
    shutil.rmtree(folder)


@pytest.mark.parametrize("method", METHODS)
def test_sdk_method(world: ClientWorld, method: str) -> None:
    assert method in SDK_CALLS, f"Client.{method} is new: cover it in tests/sdk_calls.py"
    SDK_CALLS[method](world)


@pytest.mark.parametrize("command", COMMANDS)
def test_cli_command(world: ClientWorld, command: str) -> None:
    assert command in CLI_CALLS, f"qfieldcloud-cli {command} is new: add it to tests/cli_calls.py"
    call = CLI_CALLS[command](world)

    result = run_cli(world, call)

    assert result.exception is None, result.exception
    assert call.answer in result.output


@pytest.mark.parametrize("command", ["list-projects", "list-files", "list-jobs", "package-latest", "members-get"])
def test_cli_command_as_json(world: ClientWorld, command: str) -> None:
    result = run_cli(world, CLI_CALLS[command](world), as_json=True)

    assert result.exception is None, result.exception
    assert json.loads(result.stdout)


def test_the_sdk_tells_a_refused_push_and_sends_it_again(world: ClientWorld) -> None:
    """A node that limits synchronisations: an error with its status, then the same file arrives."""
    project, edits = world.packaged, str(world.deltafile(world.packaged))
    once = [{"scope": project, "per_minute": 1}]
    world.node.command("ratelimit", "replace", stdin=json.dumps(once))
    try:
        world.alice.push_delta(project, str(world.deltafile(project)))
        with pytest.raises(QfcRequestException) as refused:
            world.alice.push_delta(project, edits)
    finally:
        world.node.command("ratelimit", "replace", stdin="[]")
    assert refused.value.response.status_code == 429
    assert 0 < int(refused.value.response.headers["Retry-After"]) <= 60

    world.alice.push_delta(project, edits)
    sent = {one["uuid"] for one in json.loads(Path(edits).read_text())["deltas"]}
    stored = world.alice._request("GET", f"deltas/{project}/").json()  # pyright: ignore[reportPrivateUsage]
    assert sent <= {one["id"] for one in stored}


def test_the_table_in_the_docs_is_complete() -> None:
    text = TABLE.read_text(encoding="utf-8")
    methods, commands = (
        set(re.findall(pattern, text, re.MULTILINE))
        for pattern in (r"^\| `Client\.(\w+)`", r"^\| `qfieldcloud-cli ([\w-]+)`")
    )

    assert methods == set(METHODS)
    assert commands == set(COMMANDS)
    assert f"qfieldcloud-sdk {version('qfieldcloud-sdk')}" in text
