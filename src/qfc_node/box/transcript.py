"""The steps and the output of a job, as the official server marks them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO


def _unchanged(text: str) -> str:
    return text


class Transcript:
    """Steps in progress. `clean` is applied to each line of the output."""

    def __init__(self, output: TextIO, clean: Callable[[str], str] = _unchanged) -> None:
        self.steps: list[dict[str, Any]] = []
        self._output = output
        self._clean = clean

    def log(self, line: str) -> None:
        """Write a line to the job's output."""
        self._output.write(f"{datetime.now(UTC):%H:%M:%S.%f} {self._clean(line)}\n")
        self._output.flush()

    @contextmanager
    def step(self, identifier: str, name: str) -> Generator[dict[str, Any]]:
        """Record a step and its return values, and mark it in the output."""
        mark = uuid.uuid4()
        record: dict[str, Any] = {"id": identifier, "name": name, "stage": 1, "returns": {}}
        self.steps.append(record)
        self._output.write(f"::<<<::{mark} {name}\n")
        yield record["returns"]
        record["stage"] = 2
        self._output.write(f"::>>>::{mark} 2\n")
        self._output.flush()
