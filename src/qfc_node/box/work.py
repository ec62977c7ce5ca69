"""The input and the answer of a job's process, as plain JSON values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..gis.port import Delta

#: Names of files in a job's folder.
FILES, EXPORT, ANSWER, OUTPUT, SCRATCH = "files", "export", "answer.json", "output.log", "scratch"

#: `needs_network`: the project has layers in databases elsewhere; the job must start again where it may reach them.
AnswerKind = Literal["done", "needs_network", "project_error", "storage_fault", "crash"]


@dataclass(frozen=True)
class Secrets:
    """What one job's libpq may use: variables of the environment, and the texts of service files."""

    variables: dict[str, str] = field(default_factory=dict[str, str])
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobInput:
    """Everything that a job's process needs besides the files in its folder.

    `known_pks`: client id, local layer id, local key, and the key in the source.
    """

    type: str
    project_filename: str
    deltas: tuple[Delta, ...] = ()
    overwrite_conflicts: bool = False
    known_pks: tuple[tuple[str, str, str, str], ...] = ()
    secrets: Secrets = field(default_factory=Secrets, repr=False)

    def encoded(self) -> bytes:
        """Return the input as bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decoded(cls, content: bytes) -> JobInput:
        """Return the input from its bytes."""
        values: dict[str, Any] = json.loads(content)
        values["deltas"] = tuple(Delta(**delta) for delta in values["deltas"])
        values["known_pks"] = tuple((a, b, c, pk) for a, b, c, pk in values["known_pks"])
        secrets = values["secrets"]
        values["secrets"] = Secrets(secrets["variables"], tuple(secrets["services"]))
        return cls(**values)


@dataclass(frozen=True)
class MadeFile:
    """A file that a job made or changed: its name in the project or package, and its path in the job's folder."""

    name: str
    path: str


@dataclass(frozen=True)
class Answer:
    """What a job's process says about its work. Whoever reads it trusts none of it."""

    kind: AnswerKind
    error: str = ""
    error_type: str = ""
    error_class: str = ""
    error_stack: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    files: tuple[MadeFile, ...] = ()
    details: dict[str, Any] | None = None
    outcomes: tuple[dict[str, Any], ...] = ()

    def write(self, path: Path) -> None:
        """Write the answer atomically: the file is complete or absent."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")
        draft.replace(path)
