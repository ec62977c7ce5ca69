"""The operator's key, and the sheet of paper with which a server that burned down is restored."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from ...errors import NotFoundError, QfcError, RefusedError, UsageError
from ...files import keep_file
from ...stack.backup_key import KEY_BEGINS
from ...stack.ports import Ports
from ..guard import Options, guarded
from .make import CREATE_KEY, require_first_key


@dataclass(frozen=True)
class Keys:
    """The key. `sheet` is the recovery sheet with the secret part, only where it was asked for or just created."""

    recipient: str
    identity_here: bool
    created: bool
    imported: bool
    sheet: str | None
    sheet_file: Path | None
    dry_run: bool
    steps: tuple[str, ...] = ()


def db_keys(
    ports: Ports, options: Options, *, sheet: Path | None = None, adopt: Path | None = None, show: bool = False
) -> Keys:
    """Show the key; create it on first use, or store that of a file. `sheet` names a new file for the sheet."""
    keys = ports.backups.keys
    before = keys.recipient()
    if sheet is not None and sheet.exists():
        raise UsageError(f"{sheet} already exists.", hint="Name another file.")
    if adopt is not None:
        return _adopted(ports, adopt, options)
    if before is not None and sheet is None and not show:
        return Keys(before, keys.identity() is not None, False, False, None, None, False)
    created = before is None
    if created:
        require_first_key(ports)
    with guarded(ports, "db keys", target=ports.name, options=options, recovers=False, of_moved=True) as guard:
        if False in [guard.step(one) for one in _steps(sheet, created=created)]:
            here = keys.identity() is not None
            return Keys(before or "", here, created, False, None, None, True, guard.steps)
        if created:
            keys.create()
        text = recovery_sheet(ports)
        if sheet is not None:
            keep_file(sheet.absolute(), text.encode(), mode=0o600)
    shown = text if sheet is None else None
    return Keys(keys.recipient() or "", True, created, False, shown, sheet, False, guard.steps)


def _steps(sheet: Path | None, *, created: bool) -> list[str]:
    out = "Print the recovery sheet" if sheet is None else f"Write the recovery sheet to {sheet}"
    return [*([CREATE_KEY] if created else []), out]


def identity_in(path: Path) -> str:
    """Return the key in a file, which may be a recovery sheet. Raises QfcError, NotFoundError for a file without."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QfcError(f"{path} cannot be read.", hint="Check its name and permissions.") from error
    identity = next((line.strip() for line in lines if line.strip().startswith(KEY_BEGINS)), None)
    if identity is None:
        raise NotFoundError(f"{path} has no key.", hint=f"The key is the line that begins with {KEY_BEGINS}")
    return identity


def _adopted(ports: Ports, path: Path, options: Options) -> Keys:
    identity = identity_in(path)
    with guarded(ports, "db keys --import", target=ports.name, options=options, of_moved=True) as guard:
        taken = guard.step(f"Store the key from {path}")
        recipient = ports.backups.keys.adopt(identity) if taken else ""
    return Keys(recipient, taken, False, taken, None, None, guard.dry_run, guard.steps)


def recovery_sheet(ports: Ports) -> str:
    """Return the text of the sheet. Raises RefusedError where the secret part is not here."""
    identity = ports.backups.keys.identity()
    if identity is None:
        raise RefusedError("The secret part of the key is not on this machine.", hint="It is on the recovery sheet.")
    return _SHEET.format(
        stack=ports.name,
        place=ports.backups.store.place,
        made=f"{ports.clock.now():%Y-%m-%d}",
        identity=identity,
        recipient=ports.backups.keys.recipient(),
        code=_qr(identity),
        more="".join(f"\n{line}" for line in ports.backups.store.by_hand),
    )


def _qr(text: str) -> str:
    import segno

    out = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out, compact=True, border=2)
    return out.getvalue()


_SHEET = """RECOVERY SHEET for the backups of {stack}, printed {made}

Whoever has this key can read the backups. Without it nobody can, not even the server itself
once its disk is gone. Keep it on paper, away from the server.

The key:

    {identity}

{code}
Its public part: {recipient}
The backups:     {place}{more}

On a new machine: write the key into a file, configure the same place for backups, then type
    qfc init {stack}
    qfc db keys --import FILE
    qfc db restore
Without qfc: the file README.md beside the backups says how.
"""
