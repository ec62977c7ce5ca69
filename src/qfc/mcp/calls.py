"""A command line of `qfc`, run in a process of its own: whatever it does, the server goes on.

A call that is cancelled ends as with Ctrl-C: the command finishes its step, releases the lock and notes the audit line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import anyio
from anyio.abc import ByteReceiveStream, Process

#: Receives each line of progress.
Report = Callable[[str], Awaitable[None]]
#: How a command says what it does: `… Stop 2 workers`.
STEP = "… "
#: Seconds for a cancelled command to finish its step.
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Answer:
    """What a command said. `document` is its JSON answer; `is_error` whether that is an error's."""

    exit_code: int
    document: dict[str, Any]

    @property
    def is_error(self) -> bool:
        """Whether the command failed, as opposed to having found something."""
        return "error" in self.document


async def call(arguments: Sequence[str], report: Report) -> Answer:
    """Run `qfc` with arguments, report its steps, and return its answer."""
    command = [sys.executable, "-m", "qfc.cli.main", *arguments]
    async with await anyio.open_process(command, stdin=-3, start_new_session=True) as process:
        try:
            output = await _outputs(process, report)
            code = await process.wait()
        except BaseException:
            await _end(process)
            raise
    return Answer(code, _document(output))


async def _outputs(process: Process, report: Report) -> bytes:
    """Return standard output; report steps from standard error meanwhile."""
    output = bytearray()

    async def collect(stream: ByteReceiveStream) -> None:
        async for chunk in stream:
            output.extend(chunk)

    async def follow(stream: ByteReceiveStream) -> None:
        begun = ""
        async for chunk in stream:
            *lines, begun = (begun + chunk.decode(errors="replace")).split("\n")
            for line in lines:
                if line.startswith(STEP):
                    await report(line.removeprefix(STEP))

    assert process.stdout is not None
    assert process.stderr is not None
    async with anyio.create_task_group() as group:
        group.start_soon(collect, process.stdout)
        group.start_soon(follow, process.stderr)
    return bytes(output)


async def _end(process: Process) -> None:
    """End a cancelled command, as with Ctrl-C; by force only when it does not listen."""
    with anyio.CancelScope(shield=True):
        with suppress(ProcessLookupError):
            process.terminate()
        with anyio.move_on_after(PATIENCE_S):
            await process.wait()
            return
        with suppress(ProcessLookupError):
            process.kill()


def _document(output: bytes) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return cast("dict[str, Any]", document)
    return {"error": {"code": "no_answer", "message": "The command gave no answer.", "hint": "Type: qfc audit"}}
