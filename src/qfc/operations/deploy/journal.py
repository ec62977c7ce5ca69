"""What is written down of deployments, on the deployment's host: the one that is under way, and those that were."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from ...errors import QfcError
from ...stack.journals import FOLDER, LOG, RECORD, UNDER_WAY, past
from ...stack.ports import Clock, Deployment
from ...stack.retention import KEEP_DEPLOYMENTS, outlived
from ...stack.rollout import DeployState, Record, Step, as_document


class Journal:
    """One deployment that is under way. Every change of it is on the host's disk before anything else happens."""

    def __init__(self, deployment: Deployment, clock: Clock, record: Record) -> None:
        self._deployment, self._clock = deployment, clock
        self.record = record

    @property
    def place(self) -> str:
        """Where its files are, below our own folder."""
        return f"{FOLDER}/{self.record.id}"

    def write(self, change: Callable[[Record], Record] = lambda record: record) -> None:
        """Change the record and write it down."""
        self.record = change(self.record)
        self._deployment.records.write(UNDER_WAY, as_document(self.record))

    @contextmanager
    def step(self, step: Step) -> Generator[None]:
        """Write down that a step begins, and how it ended."""
        began = self._clock.now()
        self.write(lambda record: record.beginning(step))
        ok = False
        try:
            yield
            ok = True
        finally:
            seconds = (self._clock.now() - began).total_seconds()
            with suppress(QfcError):
                self.write(lambda record: record.ending(step, ok=ok, seconds=seconds))

    def log(self, text: str) -> None:
        """Keep what a step said."""
        with suppress(QfcError):
            self._deployment.records.write_text(f"{self.place}/{LOG}", text)

    def close(self, state: DeployState, failure: str = "") -> None:
        """Write down the end; nothing is under way any more."""
        self.record = self.record.ended(state, self._clock.now(), failure)
        self._deployment.records.write(f"{self.place}/{RECORD}", as_document(self.record))
        self._deployment.records.remove(UNDER_WAY)

    def forget(self) -> None:
        """Leave no trace of a deployment that changed nothing."""
        self._deployment.records.remove(self.place)
        self._deployment.records.remove(UNDER_WAY)


def forget_old(deployment: Deployment, *, keep: int = KEEP_DEPLOYMENTS) -> tuple[str, ...]:
    """Remove what was kept for the way back to releases before the last ones; return their ids."""
    old = tuple(record.id for record in outlived(past(deployment), keep=keep))
    for name in old:
        deployment.records.remove(f"{FOLDER}/{name}")
    return old
