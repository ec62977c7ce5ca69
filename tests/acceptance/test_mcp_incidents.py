"""Incidents of the lab, solved through `qfc mcp` alone by the steps of its prompts, without any model."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, TextContent

from compose_world import ADMIN
from qfc_command import Qfc, fresh_qfc

pytestmark = pytest.mark.slow
#: The prompt that an operator would choose, and the finding that has to be gone afterwards.
INCIDENTS = {
    "workers-stopped": ("sync_does_not_complete", "D11"),
    "job-queued-by-the-dead": ("sync_does_not_complete", "D07"),
    "job-started-by-the-dead": ("sync_does_not_complete", "D08"),
}
#: A worker that is just starting moves the state between a plan and its use; then the server asks for another plan.
PLANS = 4
#: What a step says of the values that a tool gets.
VALUES = re.compile(r"\b(fix|hours)=(\w+)")


@pytest.fixture(scope="module")
def lab() -> Iterator[Qfc]:
    """A stack of its own: its workers are stopped and its rows are broken."""
    with fresh_qfc() as one:
        one.ok("init", "local", "--workers", "1")
        one.ok("up")
        one.ok("users", "create", ADMIN, "--superuser", "--generate")
        yield one


@pytest.mark.parametrize("fault", INCIDENTS)
def test_an_incident_is_solved_by_the_steps_of_a_prompt(lab: Qfc, fault: str) -> None:
    prompt, finding = INCIDENTS[fault]
    lab.ok("--yes", "lab", "break", fault)
    try:
        assert finding in found(lab)
        before = len(lab.ok("audit")["entries"])
        applied = anyio.run(solve, lab, prompt)
        after = lab.ok("audit")["entries"]
        # What would change nothing leaves no line: of `sync diagnose --fix` after `jobs cleanup`, for example.
        lines = [one["command"].removesuffix(" --fix") for one in after[: len(after) - before]]
        assert lines
        assert Counter(lines) <= Counter(applied)
        assert finding not in found(lab)
    finally:
        lab.ok("--yes", "lab", "mend")


def found(qfc: Qfc) -> set[str]:
    findings: list[dict[str, Any]] = qfc("--json", "doctor", "--no-proof").json["findings"]
    return {one["id"] for one in findings if one["result"] == "found"}


async def solve(qfc: Qfc, prompt: str) -> list[str]:
    """Take each step of a prompt with the tools that it names; return the commands that changed something."""
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "qfc.cli.main", "mcp"], env=dict(qfc.environment)
    )
    applied: list[str] = []
    async with Client(command) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        message = (await client.get_prompt(prompt)).messages[0].content
        assert isinstance(message, TextContent)
        for step in re.findall(r"^\d+\. (.*)$", message.text, re.MULTILINE):
            for tool in re.findall(r"\w+", step):
                if tool in tools and await changed(client, tool, values(step)):
                    applied.append(tool.replace("_", " ", 1))
    return applied


def values(step: str) -> dict[str, Any]:
    given = {"fix": lambda text: text == "true", "hours": float}
    return {name: given[name](text) for name, text in VALUES.findall(step)}


async def changed(client: Client, tool: str, arguments: dict[str, Any]) -> bool:
    """Call a tool as a careful agent does: with what it needs, and a change only by a plan of the present state."""
    schema = next(one for one in (await client.list_tools()).tools if one.name == tool).input_schema["properties"]
    needed = {"everything": True} if "everything" in schema else {}
    wanted = {**needed, **{name: value for name, value in arguments.items() if name in schema}}
    done: dict[str, Any] = {}
    for _ in range(PLANS):
        plan = answer(await client.call_tool(tool, wanted))
        if "plan_id" not in plan:
            return False
        done = answer(await client.call_tool(tool, {"plan_id": plan["plan_id"]}))
        if done.get("error", {}).get("code") != "state_moved":
            break
    assert "changed" in done, (tool, done)
    return bool(done["changed"])


def answer(result: CallToolResult) -> dict[str, Any]:
    content = result.structured_content
    assert isinstance(content, dict)
    return content
