"""The server under the SDK's own client, on a machine without a stack."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import TextContent, TextResourceContents

from qfc.cli.main import root
from qfc.mcp.server import build
from qfc.mcp.toolbox import Limits, Toolbox


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QFC_HOME", str(tmp_path))
    monkeypatch.setenv("QFC_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


def client(home: Path, limits: Limits | None = None) -> Client:
    return Client(build(Toolbox(root, limits or Limits(), home / "passwords")))


def run(work: Coroutine[Any, Any, None]) -> None:
    async def _run() -> None:
        await work

    anyio.run(_run)


def test_tools_are_listed_with_what_they_do(home: Path) -> None:
    async def work() -> None:
        async with client(home) as one:
            tools = {tool.name: tool for tool in (await one.list_tools()).tools}
        for name in ("status", "doctor", "workers_scale", "jobs_cleanup", "deploy"):
            assert name in tools
        status, scale, down = (tools[name].annotations for name in ("status", "workers_scale", "down"))
        assert status is not None
        assert scale is not None
        assert down is not None
        assert status.read_only_hint is True
        assert (scale.read_only_hint, scale.destructive_hint, scale.idempotent_hint) == (False, False, True)
        assert (down.read_only_hint, down.destructive_hint) == (False, True)

    run(work())


def test_a_server_that_may_only_read_offers_no_change(home: Path) -> None:
    async def work() -> None:
        async with client(home, Limits(read_only=True)) as one:
            tools = {tool.name: tool for tool in (await one.list_tools()).tools}
            assert "workers_scale" not in tools
            assert "fix" not in tools["doctor"].input_schema["properties"]
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
            refused = await one.call_tool("doctor", {"fix": True})
            assert refused.is_error
            assert refused.structured_content["error"]["code"] == "refused"

    run(work())


def test_a_server_may_be_limited_to_groups(home: Path) -> None:
    async def work() -> None:
        async with client(home, Limits(groups=frozenset({"jobs"}))) as one:
            names = {tool.name for tool in (await one.list_tools()).tools}
        assert {"jobs_retry", "status", "workers_list"} <= names
        assert not {"workers_scale", "down"} & names

    run(work())


def test_errors_are_answers_with_a_hint(home: Path) -> None:
    async def work() -> None:
        async with client(home) as one:
            missing = await one.call_tool("status", {})
            assert missing.is_error
            assert missing.structured_content["error"]["hint"]
            unknown = await one.call_tool("launch_rockets", {})
            assert unknown.structured_content["error"]["code"] == "usage"
            made_up = await one.call_tool("down", {"plan_id": "made up"})
            assert made_up.structured_content["error"]["code"] == "unknown_plan"
            (block,) = missing.content
            assert isinstance(block, TextContent)
            assert json.loads(block.text) == missing.structured_content

    run(work())


def test_resources_and_prompts_can_be_read(home: Path) -> None:
    async def work() -> None:
        async with client(home) as one:
            uris = [str(resource.uri) for resource in (await one.list_resources()).resources]
            assert "qfc://checks" in uris
            assert (await one.list_resource_templates()).resource_templates == []
            for uri in uris:
                (part,) = (await one.read_resource(uri)).contents
                assert isinstance(part, TextResourceContents)
                assert part.text
            prompts = [prompt.name for prompt in (await one.list_prompts()).prompts]
            assert "sync_does_not_complete" in prompts
            for name in prompts:
                (message,) = (await one.get_prompt(name)).messages
                assert isinstance(message.content, TextContent)
                assert "1. " in message.content.text
            with pytest.raises(MCPError, match="There is no resource"):
                await one.read_resource("qfc://nothing")
            with pytest.raises(MCPError, match="There is no prompt"):
                await one.get_prompt("nothing")

    run(work())
