"""The check of values of a deployment's `.env`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .base import Auto, DeploymentCheck, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence

Correct = Callable[[Values], Values]
YES = ("1", "true", "yes", "on")


class SettingCheck(DeploymentCheck, RepairsEnv):
    """A check of `.env` alone: `problem` returns the evidence in its values, `correct` the corrected values."""

    def __init__(
        self,
        id: str,
        title: str,
        severity: Severity,
        fix: str,
        problem: Callable[[Values], str | None],
        *,
        correct: Correct | None = None,
        auto: Auto = Auto.ASK,
        services: Sequence[str] | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self.problems = problems  # pyright: ignore[reportAttributeAccessIssue]
        self.auto = auto if correct else Auto.NO  # pyright: ignore[reportAttributeAccessIssue]
        self._problem, self._correct, self.services = problem, correct, services

    def look(self, seen: Evidence) -> str | None:
        """Read the values in .env."""
        return self._problem(seen.settings())

    def corrected(self, seen: Evidence) -> Values:
        """Return the lines with their correct values."""
        return self._correct(seen.settings()) if self._correct else {}
