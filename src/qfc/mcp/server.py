"""The tools, resources and prompts as a server of the official SDK of the Model Context Protocol.

The SDK passes on what a tool is said to do, and enforces nothing; the toolbox does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError

from .. import __version__
from ..stack.redaction import without_secrets
from .reading import GUIDES, JSON, RESOURCES, Guide, Readable, checks_document, commands_document
from .toolbox import Toolbox
from .tools import Command

Context = ServerRequestContext[dict[str, Any], Any]
INSTRUCTIONS = """qfc manages QFieldCloud servers. Tools that only look answer at once. A tool that changes something
first answers with a plan and a plan_id and changes nothing; call it again with that plan_id to apply the plan. Answers
have `exit_code` (0: all well, 1: a problem was found or it failed, 3: unreachable, 4: refused, 5: partly done) and
`answer`, or `error` with `message` and `hint`. Begin with `status`; the prompts list the steps for usual situations."""
OUTPUT = {
    "type": "object",
    "properties": {
        "exit_code": {"type": "integer"},
        "answer": {"type": "object", "description": "The command's own answer; see the reference of its --json."},
        "error": {"type": "object"},
        "plan_id": {"type": "string"},
        "valid_s": {"type": "number", "description": "Seconds in which the plan can be applied."},
        "changed": {"type": "boolean"},
    },
}


def build(toolbox: Toolbox) -> Server[dict[str, Any]]:
    """Return a server with these tools."""
    handlers = _Handlers(toolbox)
    return Server(
        "qfc",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """Answers the requests of one server."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox

    async def list_tools(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[self._tool(one) for one in self._toolbox.commands.values()])

    def _tool(self, command: Command) -> types.Tool:
        schema = self._toolbox.schema(command)
        may_change = "plan_id" in schema["properties"]
        hints = types.ToolAnnotations(
            read_only_hint=not may_change,
            destructive_hint=may_change and command.effect.destroys,
            idempotent_hint=not may_change or command.effect.is_repeatable,
            open_world_hint=False,
        )
        return types.Tool(
            name=command.name,
            title=f"qfc {command.path}",
            description=command.description,
            input_schema=schema,
            output_schema=OUTPUT,
            annotations=hints,
        )

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        answer = await self._toolbox.use(params.name, params.arguments or {}, _progress(context))
        told = _clean(answer)
        text = types.TextContent(type="text", text=json.dumps(told, ensure_ascii=False, indent=1))
        return types.CallToolResult(content=[text], structured_content=told, is_error="error" in answer)

    async def list_resources(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        found = [
            types.Resource(uri=one.uri, name=one.uri.removeprefix("qfc://"), title=one.title, mime_type=one.mime)
            for one in RESOURCES
        ]
        return types.ListResourcesResult(resources=found)

    async def list_templates(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """Answer that there are none: clients ask every server that has resources."""
        return types.ListResourceTemplatesResult(resource_templates=[])

    async def read_resource(
        self, _context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        resource = next((one for one in RESOURCES if one.uri == str(params.uri)), None)
        if resource is None:
            known = ", ".join(one.uri for one in RESOURCES)
            raise MCPError(types.INVALID_PARAMS, f"There is no resource {params.uri}. There are: {known}")
        text = await self._text(resource)
        contents = types.TextResourceContents(uri=resource.uri, mime_type=resource.mime, text=text)
        return types.ReadResourceResult(contents=[contents])

    async def _text(self, resource: Readable) -> str:
        if resource.command:
            answer = await self._toolbox.use(resource.command, {}, _silent)
            return json.dumps(_clean(answer), ensure_ascii=False, indent=1)
        return checks_document() if resource.mime == JSON else commands_document(self._toolbox.commands)

    async def list_prompts(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[types.Prompt(name=one.name, title=one.title) for one in GUIDES])

    async def get_prompt(self, _context: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        guide = _guide(params.name)
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=guide.text))
        return types.GetPromptResult(description=guide.title, messages=[message])


def _guide(name: str) -> Guide:
    for guide in GUIDES:
        if guide.name == name:
            return guide
    raise MCPError(
        types.INVALID_PARAMS, f"There is no prompt {name:.60}. There are: {', '.join(one.name for one in GUIDES)}"
    )


def _progress(context: Context) -> Callable[[str], Awaitable[None]]:
    """Return a function that reports one more step of a call."""
    steps = 0

    async def report(sentence: str) -> None:
        nonlocal steps
        steps += 1
        await context.session.report_progress(steps, message=without_secrets(sentence))

    return report


async def _silent(_sentence: str) -> None:
    """Report nothing."""


def _clean(value: Any) -> Any:
    """Return an answer without anything that looks like a secret."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_clean(item) for item in cast("list[Any]", value)]
    return value
