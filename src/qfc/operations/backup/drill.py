"""Restore a set on trial: into a scratch stack on this machine, which is used like a real one and then removed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256

from ...errors import QfcError, RefusedError
from ...stack.backup_health import DRILL_RECORD
from ...stack.backup_set import Located, Manifest, Place, Reference
from ...stack.model import ApiRequest, Capability
from ...stack.ports import Ports
from ..guard import Options, guarded
from ..management import unapplied_migrations
from ..proof import prove
from .restore import WORKER, Restoring
from .restore_objects import broken_names, located, name_of, newest
from .verify import chosen

#: How many files are read and compared with their names.
SAMPLE = 100
#: Bytes that a drill needs besides the content of the set.
ROOM = 300_000_000
PERSON = "qfc-drill"
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Assertion:
    """One thing that has to be true of a restored stack."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Drilled:
    """The result of a drill. `restore_seconds` is what a real restore would take until people can work again."""

    backup: str
    ok: bool
    seconds: float
    restore_seconds: float
    at: datetime | None
    assertions: tuple[Assertion, ...]
    dry_run: bool
    steps: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 only if everything is true, or with `--dry-run`."""
        return 0 if self.ok or self.dry_run else 1


def db_drill(ports: Ports, wanted: str | None, options: Options) -> Drilled:
    """Restore a set on trial, check and use it, remove everything, and record the result. The stack is not touched."""
    manifest = chosen(ports, wanted)[0]
    with guarded(ports, "db drill", target=manifest.id, options=options, of_moved=True) as guard:
        steps = _steps(ports, manifest)
        if False in [guard.step(one) for one in steps]:
            return Drilled(manifest.id, False, 0, 0, None, (), True, guard.steps)
        _require_room(ports, manifest)
        began = ports.clock.monotonic()
        drill = _Drill(ports, manifest, options.report)
        drill.run()
        seconds = round(ports.clock.monotonic() - began, 3)
        ok = all(one.ok for one in drill.assertions)
        guard.result = manifest.id if ok else f"failed: {_first_failure(drill.assertions)}"
        result = Drilled(
            manifest.id,
            ok,
            seconds,
            round(drill.restored_s, 3),
            ports.clock.now(),
            tuple(drill.assertions),
            False,
            guard.steps,
        )
        _record(ports, result)
    return result


def _steps(ports: Ports, manifest: Manifest) -> tuple[str, ...]:
    if ports.offers(Capability.CONTAINERS):
        return (
            f"Restore {manifest.id} into a scratch database of the server and a scratch folder of its file stores",
            "Let the application read it",
            "Remove both",
        )
    return (
        f"Restore {manifest.id} into a scratch stack on this machine",
        "Start it, log in, upload a project, package it, apply an edit",
        "Remove the scratch stack",
    )


def _require_room(ports: Ports, manifest: Manifest) -> None:
    needed, free = manifest.size_bytes * 2 + ROOM, ports.runtime.disk().free_bytes
    if free < needed:
        raise RefusedError(
            f"A drill needs {needed / 1e9:.1f} GB on the disk of the stack; {free / 1e9:.1f} GB are free.",
            hint="See: qfc services disk",
        )


def _first_failure(assertions: list[Assertion]) -> str:
    return next(f"{one.name}: {one.detail}" for one in assertions if not one.ok)


def _record(ports: Ports, result: Drilled) -> None:
    document = {**asdict(result), "at": result.at.isoformat() if result.at else None}
    ports.records.write(DRILL_RECORD, document)


@dataclass
class _Drill:
    """A drill while it runs. What fails becomes an assertion that is not true; what depends on it is not tried."""

    ports: Ports
    manifest: Manifest
    report: Callable[[str], None]
    assertions: list[Assertion] = field(default_factory=list[Assertion])
    restored_s: float = 0

    def run(self) -> None:
        """Restore, check, use, remove."""
        began = self.ports.clock.monotonic()
        try:
            with self.ports.backups.scratch() as scratch:
                for name, check in self._checks(scratch):
                    self.report(name)
                    if not self._holds(name, check):
                        return
                    if name in (_STARTED, _READ):
                        self.restored_s = self.ports.clock.monotonic() - began
        except QfcError as error:
            self.assertions.append(Assertion("the scratch stack is removed", False, error.message))

    def _holds(self, name: str, check: Callable[[], str]) -> bool:
        try:
            self.assertions.append(Assertion(name, True, check()))
        except QfcError as error:
            self.assertions.append(Assertion(name, False, error.message))
        return self.assertions[-1].ok

    def _checks(self, scratch: Ports) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "the set is whole, and is restored with the rows that the manifest has", lambda: self._restore(scratch)
        yield "no reference is broken", lambda: self._references(scratch)
        yield "files have the content that their names say", lambda: self._sample(scratch)
        yield "the newest job and edit are there", lambda: self._newest(scratch)
        if scratch.offers(Capability.CONTAINERS):
            yield _READ, lambda: _migrations(scratch)
            return
        yield _STARTED, lambda: self._start(scratch)
        yield "all migrations are applied", lambda: _migrations(scratch)
        yield "a user logs in", lambda: _login(scratch)
        yield "a project is uploaded, packaged and edited", lambda: _synchronise(scratch)

    def _restore(self, scratch: Ports) -> str:
        Restoring(self.ports, scratch, self.manifest, lambda _: True, self.report).on_trial()
        return f"{sum(self.manifest.database.tables.values())} rows in {len(self.manifest.database.tables)} tables"

    def _references(self, scratch: Ports) -> str:
        objects = [*located(self.ports.backups.store, self.manifest)]
        with scratch.backups.source.snapshot() as snapshot:
            named = list(snapshot.references())
        broken = [*broken_names(objects, named)]
        broken += [name_of(one) for one in scratch.backups.target.lacking(objects)]
        if broken:
            raise QfcError(f"{len(broken)} objects are missing, such as {broken[0]}.")
        return f"{len(named)} objects"

    def _sample(self, scratch: Ports) -> str:
        objects = [*newest(located(self.ports.backups.store, self.manifest))]
        sample = secrets.SystemRandom().sample(objects, min(SAMPLE, len(objects)))
        for one in sample:
            digest = sha256()
            with scratch.backups.source.open(_in_copy(one)) as file:
                while chunk := file.read(PIECE):
                    digest.update(chunk)
            if digest.hexdigest() != one.stored.sha256:
                raise QfcError(f"{name_of(one)} has other bytes.")
        return f"{len(sample)} of {len(objects)} files"

    def _newest(self, scratch: Ports) -> str:
        with scratch.backups.source.snapshot() as snapshot:
            found, wanted = snapshot.facts, self.manifest.database
        if (found.newest_job, found.newest_delta) != (wanted.newest_job, wanted.newest_delta):
            raise QfcError(f"The newest job is of {found.newest_job}, the newest edit of {found.newest_delta}.")
        return f"job of {found.newest_job}, edit of {found.newest_delta}"

    def _start(self, scratch: Ports) -> str:
        scratch.backups.target.silence()
        scratch.runtime.start(None)
        scratch.runtime.scale(WORKER, 1)
        return scratch.api.url


_STARTED = "the server starts"
_READ = "the application reads the copy, and all migrations are applied"


def _in_copy(object: Located) -> Reference:
    """Return where the copy has an object: there it has another version."""
    place = Place(object.place.store, object.place.key) if object.place else None
    return Reference(object.stored.sha256, object.stored.size, place)


def _migrations(scratch: Ports) -> str:
    missing = unapplied_migrations(scratch.runtime)
    if missing:
        raise QfcError(f"{len(missing)} are missing, such as {missing[0]}.")
    return f"{len(scratch.directory.applied_migrations())} migrations"


def _login(scratch: Ports) -> str:
    password = secrets.token_urlsafe(24)
    scratch.accounts.create(PERSON, email=f"{PERSON}@example.org", password=password, superuser=True)
    document = {"username": PERSON, "password": password}
    answer = scratch.api.send(ApiRequest("POST", "/api/v1/auth/login/", document=document))
    if not answer.is_good:
        raise QfcError(f"The server answered {answer.status}.")
    return PERSON


def _synchronise(scratch: Ports) -> str:
    broken = prove(scratch)
    if broken is not None:
        raise QfcError(f"{broken.step}: {broken.error.message}")
    return "a file round trip, a package, an edit"
