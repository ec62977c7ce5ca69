"""What a check is, and what it says."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ..errors import QfcError, RefusedError
from ..stack.findings import Auto, Finding, Severity, clear, problem, unknown

if TYPE_CHECKING:
    from .evidence import Evidence


#: How the catalogue calls its problems.
CATALOGUE_ID = re.compile(r"[A-I]\d\d")


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

    def examine(self, seen: Evidence) -> Finding:
        """Look, and return what was found; one that cannot look says so."""
        try:
            evidence = self.look(seen)
        except QfcError as error:
            return self.unknown(error.message)
        if evidence is None:
            return self._described(clear(self.id, severity=self.severity))
        return replace(self._described(problem(self.id, self.severity, evidence)), auto=self.auto)

    def unknown(self, why: str) -> Finding:
        """Return what is said when it could not be looked at."""
        return replace(self._described(unknown(self.id, why)), title=f"Could not be looked at: {self.title}")

    def _described(self, finding: Finding) -> Finding:
        return replace(finding, title=self.title, fix=self.fix)

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


__all__ = ["CATALOGUE_ID", "Auto", "Check", "DeploymentCheck", "Severity"]
