"""The records of deployments, kept on the stack's host: the one in progress, and past ones."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

from ...errors import QfcError
from ...stack import journal
from ...stack.deploy_records import FOLDER, LOG, OPERATION, RECORD, past
from ...stack.ports import Clock, Records
from ...stack.retention import KEEP_DEPLOYMENTS, outlived
from ...stack.rollout import DeployState, Record, Step, as_document


class Journal:
    """The deployment in progress. Every change of its record is on the host's disk before anything else happens."""

    def __init__(self, records: Records, clock: Clock, record: Record) -> None:
        self._records, self._clock = records, clock
        self.record = record

    @property
    def place(self) -> str:
        """Its folder, relative to our own folder on the host."""
        return f"{FOLDER}/{self.record.id}"

    def write(self, change: Callable[[Record], Record] = lambda record: record) -> None:
        """Change the record and write it to disk."""
        self.record = change(self.record)
        journal.write(self._records, journal.Entry(OPERATION, as_document(self.record)))

    @contextmanager
    def step(self, step: Step) -> Generator[None]:
        """Record that a step begins, and how it ended."""
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
        """Keep the output of a step."""
        with suppress(QfcError):
            self._records.write_text(f"{self.place}/{LOG}", text)

    def close(self, state: DeployState, failure: str = "") -> None:
        """Record the end of the deployment; none is in progress afterwards."""
        self.record = self.record.ended(state, self._clock.now(), failure)
        self._records.write(f"{self.place}/{RECORD}", as_document(self.record))
        journal.clear(self._records)

    def forget(self) -> None:
        """Remove all traces of a deployment that changed nothing."""
        self._records.remove(self.place)
        journal.clear(self._records)


def forget_old(records: Records, *, keep: int = KEEP_DEPLOYMENTS) -> tuple[str, ...]:
    """Remove what was kept for rolling back all but the last `keep` deployments; return their ids."""
    old = tuple(record.id for record in outlived(past(records), keep=keep))
    for name in old:
        records.remove(f"{FOLDER}/{name}")
    return old
