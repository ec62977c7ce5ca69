"""What a check is, and what it says."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from ..errors import RefusedError

if TYPE_CHECKING:
    from .evidence import Evidence


#: How the catalogue calls its problems.
CATALOGUE_ID = re.compile(r"[A-I]\d\d")


class Severity(StrEnum):
    """How much it matters: `CRITICAL` stops synchronisation for somebody, `WARNING` will, `INFO` is worth knowing."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Auto(StrEnum):
    """Whether the suite repairs it: by itself, after a question, or not at all."""

    SAFE = "safe"
    ASK = "ask"
    NO = "no"


class Check(ABC):
    """One known problem. `fix` says in a sentence what to do about it, also where `repair` does it."""

    id: ClassVar[str]
    #: Ids of the catalogue of known problems that it finds, where its own id does not begin with one.
    problems: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    severity: ClassVar[Severity]
    fix: ClassVar[str]
    auto: ClassVar[Auto] = Auto.NO

    def known_as(self) -> tuple[str, ...]:
        """Return the ids of the catalogue of known problems that it finds."""
        own = CATALOGUE_ID.match(self.id)
        return self.problems or ((own[0],) if own else ())

    def applies(self, seen: Evidence) -> bool:
        """Tell whether a stack of this kind can have the problem."""
        del seen
        return True

    @abstractmethod
    def look(self, seen: Evidence) -> str | None:
        """Return what shows the problem, in one sentence; None when it is not there. Raises QfcError to say unknown."""

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what `repair` would change, a line each, as it is shown before a question; no secret is in it."""
        del seen
        return ()

    def repair(self, seen: Evidence) -> None:
        """Put it right, under the stack's lock. What was seen before may be old by now: changes check it again."""
        del seen
        raise RefusedError(f"{self.title} is not repaired by itself.", hint=self.fix)


class DeploymentCheck(Check):
    """A check of what only deployments of containers have."""

    def applies(self, seen: Evidence) -> bool:
        """Only where there are containers."""
        return seen.is_deployment
