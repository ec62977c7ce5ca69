"""What was put in place for a stack, by whom, and what was there before; kept on the machine that did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...errors import QfcError

if TYPE_CHECKING:
    from ..ports import Records

NAME = "protect.json"


@dataclass(frozen=True)
class Kept:
    """A part: how it was wanted, and what was there before. `before` is None for a part that was there already."""

    wanted: Mapping[str, Any]
    before: Mapping[str, Any] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether we put it there."""
        return self.before is not None


@dataclass(frozen=True)
class Protection:
    """The parts of a stack's protection by name, and those that the operator left out."""

    at: datetime
    who: str
    machine: str
    account: str
    parts: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
    without: tuple[str, ...] = ()

    @property
    def ours(self) -> Mapping[str, Kept]:
        """The parts that we put there."""
        return {name: one for name, one in self.parts.items() if one.is_ours}

    @classmethod
    def parts_of(cls, protection: Protection | None) -> Mapping[str, Kept]:
        """Return all parts of a protection; nothing of None."""
        return protection.parts if protection else dict[str, Kept]()

    def with_parts(self, parts: Mapping[str, Kept]) -> Protection:
        """Return it with other parts."""
        return replace(self, parts=dict(parts))


def to_document(protection: Protection) -> dict[str, Any]:
    """Return it as JSON knows it."""
    parts = {name: {"wanted": dict(one.wanted), "before": one.before} for name, one in protection.parts.items()}
    return {
        "at": protection.at.isoformat(),
        "who": protection.who,
        "machine": protection.machine,
        "account": protection.account,
        "parts": parts,
        "without": list(protection.without),
    }


def from_document(document: Mapping[str, Any]) -> Protection:
    """Read what `to_document` returns. Raises QfcError."""
    try:
        return Protection(
            datetime.fromisoformat(document["at"]),
            document["who"],
            document["machine"],
            document["account"],
            {name: Kept(one["wanted"], one["before"]) for name, one in document["parts"].items()},
            tuple(document["without"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QfcError(f"{NAME} was not written by this release of qfc.", hint="Move it away: qfc protect") from error


def read(records: Records) -> Protection | None:
    """Return what is kept of a stack; None if it is not protected."""
    document = records.read(NAME)
    return from_document(document) if document else None


def write(records: Records, protection: Protection | None) -> None:
    """Keep it; None removes it."""
    if protection is None or not protection.parts:
        records.remove(NAME)
    else:
        records.write(NAME, to_document(protection))
