"""The Check class: one known problem, how to find it and how to repair it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ..errors import QfcError, RefusedError
from ..stack.findings import Auto, Finding, Severity, clear, problem, unknown

if TYPE_CHECKING:
    from .evidence import Evidence


#: Format of the ids in the catalogue of known problems.
CATALOGUE_ID = re.compile(r"[A-I]\d\d")


class Check(ABC):
    """One known problem. `fix` says in one sentence what to do about it, even where `repair` does it."""

    id: ClassVar[str]
    #: Catalogue ids of the problems that it finds, where its own id does not begin with one.
    problems: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    severity: ClassVar[Severity]
    fix: ClassVar[str]
    auto: ClassVar[Auto] = Auto.NO
    #: The operation that repairs it, by path, where a change of a port is not enough: it takes ports and a report.
    operation: ClassVar[str] = ""

    def known_as(self) -> tuple[str, ...]:
        """Return the catalogue ids of the problems that it finds."""
        own = CATALOGUE_ID.match(self.id)
        return self.problems or ((own[0],) if own else ())

    def applies(self, seen: Evidence) -> bool:
        """Return whether a stack of this kind can have the problem."""
        del seen
        return True

    @abstractmethod
    def look(self, seen: Evidence) -> str | None:
        """Return the evidence of the problem in one sentence; None without it. Raises QfcError where it cannot look."""

    def examine(self, seen: Evidence) -> Finding:
        """Look, and return the finding; a check that cannot look returns an unknown one."""
        try:
            evidence = self.look(seen)
        except QfcError as error:
            return self.unknown(error.message)
        if evidence is None:
            return self._described(clear(self.id, severity=self.severity))
        return replace(self._described(problem(self.id, self.severity, evidence)), auto=self.auto_for(seen))

    def auto_for(self, seen: Evidence) -> Auto:
        """Return whether this stack's problem is repaired without a question, after one, or not at all."""
        del seen
        return self.auto

    def unknown(self, why: str) -> Finding:
        """Return the finding of a check that could not look."""
        return replace(self._described(unknown(self.id, why)), title=f"Could not be checked: {self.title}")

    def _described(self, finding: Finding) -> Finding:
        return replace(finding, title=self.title, fix=self.fix)

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what `repair` would change, one line each, as shown before the question; it holds no secrets."""
        del seen
        return ()

    def repair(self, seen: Evidence) -> None:
        """Repair it, under the stack's lock. The evidence may be outdated by now: changes verify it again."""
        del seen
        raise RefusedError(f"{self.id} has no automatic repair.", hint=self.fix)


class DeploymentCheck(Check):
    """A check of something that only deployments of containers have."""

    def applies(self, seen: Evidence) -> bool:
        """Return whether the stack runs in containers."""
        return seen.is_deployment


__all__ = ["CATALOGUE_ID", "Auto", "Check", "DeploymentCheck", "Severity"]
