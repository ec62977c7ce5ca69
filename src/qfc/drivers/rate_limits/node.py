"""Limits that the node applies itself: its processes share them in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...errors import QfcError
from ...stack.ports import Clock, RateLimiter, Runtime
from ...stack.rate_limits import RateLimits, RefusedSyncs, from_document, to_document

APP, COMMAND = "app", "ratelimit"
COMMAND_S = 120.0


class NodeRateLimits(RateLimiter):
    """The node's own command `ratelimit`."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock

    def refusal(self) -> str | None:
        return None

    def wanted(self) -> RateLimits:
        return from_document(self._shown()["limits"])

    def in_force(self) -> bool:
        return True

    def apply(self, limits: RateLimits) -> None:
        document = json.dumps(to_document(limits)).encode()
        self._runtime.execute(APP, [COMMAND, "replace"], stdin=document, timeout_s=COMMAND_S)

    def refused(self, since: datetime) -> tuple[RefusedSyncs, ...]:
        hours = (self._clock.now() - since).total_seconds() / 3600
        rows = self._shown("--hours", str(hours))["refused"]
        return tuple(
            RefusedSyncs(row["project_id"], row["refused"], datetime.fromisoformat(row["last_at"])) for row in rows
        )

    def passes(self) -> Mapping[str, str]:
        """Return nothing: the node knows the tokens that qfc writes."""
        return {}

    def _shown(self, *words: str) -> dict[str, Any]:
        printed = self._runtime.execute(APP, [COMMAND, "show", *words], timeout_s=COMMAND_S).stdout
        try:
            return json.loads(printed)
        except ValueError as error:
            raise QfcError(
                "The node does not report its limits as JSON.", hint="Type: qfc logs --service app"
            ) from error
