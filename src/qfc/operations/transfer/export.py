"""Export a server into a folder, to be carried to a machine that this one cannot reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import QfcError
from ...files import keep_file
from ...stack.backup_set import Manifest
from ...stack.ports import Ports
from ...stack.transfer.moved import Moved, require_here
from ..backup.make import CREATE_KEY
from ..guard import Options, guarded
from .checks import require_holdable
from .copies import sound_set
from .holding import OPERATION, give_back, hold, intend, stand_down
from .last import note_last

FINAL = "It has the last state: the old server accepts no writes since."
AHEAD = """People go on working on the old server. Before the move is completed, write what is new since then:

    qfc --stack {stack} transfer export {folder} --final"""
MANUAL = """# Move {stack} to this folder's next machine

The newest set is {backup}, of {release}.
{state}

On the new machine:

1. Install the same release, and start it: for a node `qfc init {stack}` and `qfc up`, for a deployment
   its files and a new `.env`, then `docker compose up`, and `qfc init {stack} --kind compose`.
2. Bring this folder and the key: on the old machine, `qfc --stack {stack} db keys --sheet` prints it.
3. `qfc --stack {stack} transfer import {place} --key FILE`
4. Do what its report lists: addresses, DNS, firewall.

The old server takes over again with `qfc --stack {stack} transfer back`.
"""


@dataclass(frozen=True)
class ServerExported:
    """A set in a folder. `final`: the server accepts no writes since, so the set has its last state."""

    stack: str
    backup: str
    path: str
    final: bool
    objects: int
    object_bytes: int
    added_bytes: int
    seconds: float
    missing: tuple[str, ...]
    key_created: bool
    dry_run: bool
    steps: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 5 if the server lacks files that its rows name."""
        return 5 if self.missing else 0


def transfer_export(ports: Ports, folder: Path, options: Options, *, final: bool = False) -> ServerExported:
    """Write a verified set of a server into the folder that is its store of backups here.

    It may be repeated: only what is new is written. With `final` writes are blocked first, and stay blocked.
    """
    require_here(ports.records)
    require_holdable(ports)
    created = ports.backups.keys.recipient() is None
    question = f"Nobody can write to {ports.name} from now on, until: qfc transfer back. Export?" if final else ""
    began = ports.clock.monotonic()
    manifest = None
    steps = _steps(ports, created=created, final=final)
    with guarded(ports, f"{OPERATION} export", target=str(folder), options=options, question=question) as guard:
        if guard.dry_run:
            for one in steps:
                guard.step(one)
        else:
            guard.step(steps[0])
            manifest = _last(ports, folder, options) if final else _ahead(ports, options)
            guard.result = manifest.id
    return _exported(
        ports, manifest, round(ports.clock.monotonic() - began, 3), final, created and not guard.dry_run, guard.steps
    )


def _steps(ports: Ports, *, created: bool, final: bool) -> tuple[str, ...]:
    return (
        *([CREATE_KEY] if created else []),
        *(["Let the queue run empty, stop the workers, block writes"] if final else []),
        f"Write what is new into {ports.backups.store.place}, and verify the set",
    )


def _ahead(ports: Ports, options: Options) -> Manifest:
    manifest = sound_set(ports, options.report)
    _keep_manual(ports, manifest, final=False)
    return manifest


def _last(ports: Ports, folder: Path, options: Options) -> Manifest:
    """Make the last set. If that fails, the server accepts writes again."""
    try:
        hold(ports, str(folder), options.report)
        manifest = sound_set(ports, options.report)
        _keep_manual(ports, manifest, final=True)
        where = Moved(str(folder), ports.lock.identity(), ports.clock.now(), manifest.id)
        intend(ports, where)
    except BaseException as error:
        options.report("Accept writes again")
        give_back(ports)
        if isinstance(error, QfcError):
            raise QfcError(f"Nothing was exported: {error.message}", hint=error.hint) from error
        raise
    stand_down(ports, where)
    return manifest


def _keep_manual(ports: Ports, manifest: Manifest, *, final: bool) -> None:
    """Write beside the sets what to do with them on the other machine."""
    place = Path(ports.backups.store.place)
    release = manifest.release or f"qfieldcloud-suite {manifest.qfc}"
    state = FINAL if final else AHEAD.format(stack=ports.name, folder=place.parent)
    text = MANUAL.format(stack=ports.name, backup=manifest.id, release=release, place=place, state=state)
    try:
        keep_file(place / "MOVE.md", text.encode(), mode=0o600)
        if final:
            note_last(place, manifest)
    except OSError as error:
        raise QfcError(f"{place} cannot be written: {error.strerror}.", hint="Check free space and cables.") from error


def _exported(
    ports: Ports, manifest: Manifest | None, seconds: float, final: bool, created: bool, steps: tuple[str, ...]
) -> ServerExported:
    place = ports.backups.store.place
    if manifest is None:
        return ServerExported(ports.name, "", place, final, 0, 0, 0, seconds, (), created, True, steps)
    missing = tuple(f"{one.shown}: {one.why}" for one in manifest.missing)
    return ServerExported(
        ports.name,
        manifest.id,
        place,
        final,
        manifest.objects.count,
        manifest.objects.bytes,
        manifest.stored_bytes,
        seconds,
        missing,
        created,
        False,
        steps,
    )
