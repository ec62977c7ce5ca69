"""Changing the release of a deployment: its steps, its record, and how to recover after each step. Pure.

The record is written before a step begins; after a crash at any moment, it shows what may have been changed. Recovery
means to finish once the gate has been passed, and to undo before that. The undo is the same after every step, can be
repeated, and leaves the deployment as it was before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from .model import Revision


class Step(StrEnum):
    """The steps of a deployment, in order."""

    CHECK = "check"
    SAVE = "save"
    CHECKOUT = "checkout"
    IMAGES = "images"
    DRAIN = "drain"
    HOLD = "hold"
    DUMP = "dump"
    RESTORE = "restore"
    MIGRATE = "migrate"
    STATIC = "collectstatic"
    START = "start"
    GATE = "gate"
    RELEASE = "release"


class ImageSource(StrEnum):
    """Where the images of the release come from: built, pulled, or kept from an earlier deployment."""

    BUILD = "build"
    PULL = "pull"
    KEPT = "kept"


class DeployState(StrEnum):
    """The state of a deployment."""

    RUNNING = "running"
    UNDOING = "undoing"
    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled_back"
    UNCHANGED = "unchanged"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self in (DeployState.RUNNING, DeployState.UNDOING)


class WayOut(StrEnum):
    """How an interrupted deployment is ended."""

    FINISH = "finish"
    UNDO = "undo"


#: The steps that may change something; the undo restores what the begun steps may have changed.
CHANGES_FILES = Step.CHECKOUT
CHANGES_IMAGES = Step.IMAGES
CHANGES_DATA = (Step.RESTORE, Step.MIGRATE)
STOPS_WORKERS = Step.DRAIN
CHANGES_CONTAINERS = Step.START


@dataclass(frozen=True)
class Took:
    """A step that was completed or failed, and the seconds it took."""

    name: str
    ok: bool
    seconds: float


@dataclass(frozen=True)
class Record:
    """The record of a deployment. Paths are on its host.

    `images` are name and id of each service's previous image, `new_images` those of the release; `migrations` are those
    applied before. For a rollback, `restore` is the dump from which the data are restored, and `env_from` the
    deployment whose `.env` is used. `password` lets the gate's requests through; `probe` is the project that the gate
    created. `unready_before` are services that were unready already; no step waits for them. During the undo,
    `restored` means that the previous data are back and nothing of the release runs, and `writers_admitted` that writes
    are accepted again.
    """

    id: str
    kind: str
    began_at: datetime
    by: str
    before: Revision
    after: Revision
    branch_before: str | None = None
    branch_after: str | None = None
    source: ImageSource = ImageSource.BUILD
    migrate: bool = False
    collectstatic: bool = False
    images: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    new_images: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    migrations: tuple[str, ...] = ()
    dump: str | None = None
    restore: str | None = None
    env_from: str | None = None
    password: str = field(default="", repr=False)
    probe: str = ""
    unready_before: tuple[str, ...] = ()
    restored: bool = False
    writers_admitted: bool = False
    begun: tuple[Step, ...] = ()
    done: tuple[Step, ...] = ()
    took: tuple[Took, ...] = ()
    state: DeployState = DeployState.RUNNING
    ended_at: datetime | None = None
    failure: str = ""

    def beginning(self, step: Step) -> Record:
        """Return the record with a step begun."""
        return self if step in self.begun else replace(self, begun=(*self.begun, step))

    def ending(self, step: Step, *, ok: bool, seconds: float) -> Record:
        """Return the record with a step completed or failed."""
        done = (*self.done, step) if ok and step not in self.done else self.done
        return replace(self, done=done, took=(*self.took, Took(step.value, ok, round(seconds, 3))))

    def ended(self, state: DeployState, at: datetime, failure: str = "") -> Record:
        """Return the record of an ended deployment, without the password, which is no longer needed."""
        return replace(self, state=state, ended_at=at, failure=failure or self.failure, password="", probe="")

    def has_begun(self, *steps: Step) -> bool:
        """Return whether any of these steps may have changed something."""
        return any(step in self.begun for step in steps)

    @property
    def changed_data(self) -> bool:
        """Whether the database may have changed."""
        return self.has_begun(*CHANGES_DATA)


def steps_of(record: Record) -> tuple[Step, ...]:
    """Return the steps of a deployment, in order."""
    skipped = {
        Step.RESTORE: record.restore is None,
        Step.MIGRATE: not record.migrate,
        Step.STATIC: not record.collectstatic,
        Step.CHECKOUT: record.env_from is None
        and (record.before.commit, record.branch_before) == (record.after.commit, record.branch_after),
    }
    return tuple(step for step in Step if not skipped.get(step, False))


def way_out(record: Record) -> WayOut:
    """Return how an interrupted deployment is ended: finished once the gate was passed, undone before that."""
    return WayOut.FINISH if Step.GATE in record.done and record.state is DeployState.RUNNING else WayOut.UNDO


def what_was_left(record: Record) -> str:
    """Describe in one sentence the state in which a deployment was interrupted."""
    last = record.begun[-1] if record.begun else Step.CHECK
    held = " Writes are still blocked." if Step.HOLD in record.begun and Step.RELEASE not in record.done else ""
    what = "The undo of a deployment" if record.state is DeployState.UNDOING else "A deployment"
    return f"{what} of {record.after} was interrupted at the step {last}.{held}"


def as_document(record: Record) -> dict[str, Any]:
    """Return a record as it is stored."""
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "began_at": record.began_at.isoformat(),
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "before": vars(record.before),
        "after": vars(record.after),
        "source": record.source.value,
        "state": record.state.value,
        "images": {name: list(pair) for name, pair in record.images.items()},
        "new_images": {name: list(pair) for name, pair in record.new_images.items()},
        "begun": [step.value for step in record.begun],
        "done": [step.value for step in record.done],
        "took": [vars(one) for one in record.took],
    }


_PLAIN = ("id", "kind", "by", "branch_before", "branch_after", "migrate", "collectstatic", "migrations",
          "dump", "restore", "env_from", "password", "probe", "failure", "unready_before", "restored",
          "writers_admitted")  # fmt: skip


#: Names of fields in records of earlier releases.
_EARLIER = {"unready_before": "ailing", "restored": "is_back", "writers_admitted": "is_open"}


def from_document(document: Mapping[str, Any]) -> Record:
    """Read a stored record."""
    document = {**{name: document[old] for name, old in _EARLIER.items() if old in document}, **document}
    plain: dict[str, Any] = {name: document[name] for name in _PLAIN if name in document}
    plain["migrations"] = tuple(document["migrations"])
    plain["unready_before"] = tuple(document.get("unready_before", ()))
    return Record(
        **plain,
        began_at=datetime.fromisoformat(document["began_at"]),
        ended_at=datetime.fromisoformat(document["ended_at"]) if document["ended_at"] else None,
        before=Revision(**document["before"]),
        after=Revision(**document["after"]),
        source=ImageSource(document["source"]),
        state=DeployState(document["state"]),
        images=_pairs(document["images"]),
        new_images=_pairs(document["new_images"]),
        begun=tuple(Step(name) for name in document["begun"]),
        done=tuple(Step(name) for name in document["done"]),
        took=tuple(Took(**one) for one in document["took"]),
    )


def _pairs(document: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    return {name: (pair[0], pair[1]) for name, pair in document.items()}


def needed_images(records: Sequence[Record]) -> frozenset[str]:
    """Return the ids of the images that a rollback to these deployments needs."""
    pairs = [pair for record in records for images in (record.images, record.new_images) for pair in images.values()]
    return frozenset(image_id for _, image_id in pairs)
