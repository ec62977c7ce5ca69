"""`qfc mcp` on a running stack, under the SDK's own client: plans, changes, cancellation, HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult

from ports import free_port
from qfc_command import Qfc

pytestmark = pytest.mark.slow

Work = Callable[[Client], Awaitable[None]]


def agent(qfc: Qfc, work: Work, *flags: str) -> None:
    """Let an agent work with a server of its own, over standard input and output."""
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "qfc.cli.main", "mcp", *flags], env=dict(qfc.environment)
    )

    async def _work() -> None:
        async with Client(command) as client:
            await work(client)

    anyio.run(_work)


def answer(result: CallToolResult) -> dict[str, Any]:
    content = result.structured_content
    assert isinstance(content, dict)
    return content


def audited(qfc: Qfc) -> list[str]:
    return [f"{entry['command']} {entry['target']}".strip() for entry in qfc.ok("audit")["entries"]]


def test_a_change_is_a_plan_and_then_one_audited_change(running: Qfc) -> None:
    before = len(audited(running))

    async def work(client: Client) -> None:
        plan = answer(await client.call_tool("users_create", {"username": "ana", "email": "ana@example.com"}))
        assert plan["changed"] is False
        assert "ana" in str(plan["answer"])
        assert len(audited(running)) == before
        made = answer(await client.call_tool("users_create", {"plan_id": plan["plan_id"]}))
        assert made["changed"] is True
        again = await client.call_tool("users_create", {"plan_id": plan["plan_id"]})
        assert again.is_error
        note = made["answer"]["password"]
        path = Path(note.split("file ")[1].split(" on the")[0])
        assert path.stat().st_mode & 0o777 == 0o600
        password = path.read_text().strip()
        assert len(password) >= 12
        assert password not in str(made)
        users = answer(await client.call_tool("users_list", {}))["answer"]["users"]
        assert "ana" in [user["username"] for user in users]

    agent(running, work)
    assert len(audited(running)) == before + 1


def test_a_plan_is_refused_when_the_state_has_moved(running: Qfc) -> None:
    async def work(client: Client) -> None:
        plan = answer(await client.call_tool("workers_scale", {"number": 1}))
        running.ok("workers", "scale", "3")
        refused = await client.call_tool("workers_scale", {"plan_id": plan["plan_id"]})
        assert refused.is_error
        assert answer(refused)["error"]["code"] == "state_moved"
        assert running.ok("status")["services"][2]["wanted"] == 3
        fresh = answer(await client.call_tool("workers_scale", {"number": 2}))
        steps: list[str | None] = []

        async def progress(_done: float, _total: float | None, message: str | None) -> None:
            steps.append(message)

        done = await client.call_tool("workers_scale", {"plan_id": fresh["plan_id"]}, progress_callback=progress)
        assert answer(done)["answer"]["wanted"] == 2
        assert steps
        assert "3 workers to 2" in str(steps[0])

    agent(running, work)


def test_the_key_of_backups_is_not_in_an_answer(running: Qfc) -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools["db_keys"].input_schema["properties"]) == {"stack", "plan_id"}
        plan = answer(await client.call_tool("db_keys", {}))
        assert (await client.call_tool("db_keys", {"show": True})).is_error
        made = answer(await client.call_tool("db_keys", {"plan_id": plan["plan_id"]}))
        assert "AGE-SECRET-KEY" not in str(plan) + str(made)
        (path,) = (running.home / "passwords").glob("db_keys-*.txt")
        assert "AGE-SECRET-KEY-1" in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600

    agent(running, work)


def test_looks_answer_at_once_and_change_nothing(running: Qfc) -> None:
    before = audited(running)

    async def work(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            assert tool.annotations is not None
            if tool.annotations.read_only_hint and not tool.input_schema["required"]:
                content = answer(await client.call_tool(tool.name, {}))
                assert ("answer" in content) != ("error" in content), tool.name

    agent(running, work, "--read-only")
    assert audited(running) == before


def test_a_cancelled_call_ends_its_command_and_leaves_no_lock(running: Qfc) -> None:
    async def work(client: Client) -> None:
        plan = answer(await client.call_tool("services_restart", {"everything": True}))
        with anyio.move_on_after(0.8):
            await client.call_tool("services_restart", {"plan_id": plan["plan_id"]})

    agent(running, work)
    assert running.ok("up", "--wait", "60")["verdict"] == "ok"


def test_over_http_only_with_the_token(running: Qfc) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "qfc.cli.main", "mcp", "--read-only", "--http", str(port)],
        env=dict(running.environment),
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/mcp"
        _await(url)
        token_file = running.home / "mcp-token"
        assert token_file.stat().st_mode & 0o777 == 0o600
        ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        assert httpx.post(url, json=ask, trust_env=False).status_code == 401
        wrong = httpx.post(url, json=ask, headers={"authorization": "Bearer " + "x" * 43}, trust_env=False)
        assert wrong.status_code == 401
        known = {
            "authorization": f"Bearer {token_file.read_text().strip()}",
            "accept": "application/json, text/event-stream",
        }
        assert httpx.post(url, json=ask, headers=known, trust_env=False).status_code not in (401, 500)
        command = " ".join(Path(f"/proc/{server.pid}/cmdline").read_text().split("\0"))
        assert token_file.read_text().strip() not in command
    finally:
        server.terminate()
        server.wait(timeout=20)


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("nobody answers")


def test_two_agents_at_once(running: Qfc) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "qfc.cli.main", "mcp"], env=dict(running.environment)
    )
    seen: list[str] = []

    async def look() -> None:
        async with Client(command) as client:
            seen.append(answer(await client.call_tool("status", {}))["answer"]["verdict"])

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(look)
            group.start_soon(look)

    anyio.run(both)
    assert seen == ["ok", "ok"]
    assert os.environ.get("QFC_STACK") is None
