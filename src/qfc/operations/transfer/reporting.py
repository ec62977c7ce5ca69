"""The report of a move: written where only the operator reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import QfcError
from ...files import keep_file
from ...stack.transfer.by_hand import Chore, chores
from ...stack.transfer.report import MoveReport, markdown
from .facts import server_of
from .replaced import told

if TYPE_CHECKING:
    from .run import Moving

FOLDER = "transfers"


def write_report(moving: Moving, path: Path | None) -> tuple[tuple[Chore, ...], Path]:
    """Write the report of a move from one stack to another; return what is left to do by hand, and where it is."""
    old, new = server_of(moving.old), server_of(moving.new)
    left = chores(old, new)
    report = MoveReport(
        old=old.name,
        new=new.name,
        by=moving.old.lock.identity(),
        at=moving.old.clock.now(),
        backup=moving.backup,
        copies=moving.copies,
        down_s=moving.down_s,
        checks=moving.checks,
        tables=moving.tables,
        missing=moving.missing,
        chores=left,
        way_back=way_back(old.name, new.name),
        before=tuple(told(moving.replaced, new.name)),
    )
    return left, keep_report(report, path or moving.new.folder / FOLDER / f"{moving.backup}.md")


def way_back(old: str, new: str) -> tuple[str, ...]:
    """Return how the old server takes over again."""
    return (
        f"Nothing on {old} was removed. It accepts no writes, so that nobody works on two servers.",
        f"It can take over again at once; what people did on {new} meanwhile stays there:",
        "",
        "```",
        f"qfc --stack {old} transfer back",
        "```",
    )


def keep_report(report: MoveReport, path: Path) -> Path:
    """Write a report that only its owner can read; return its path. Raises QfcError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_file(path, markdown(report).encode(), mode=0o600)
    except OSError as error:
        raise QfcError(f"The server was moved, but {path} cannot be written: {error.strerror}.") from error
    return path.absolute()
