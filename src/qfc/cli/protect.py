"""`qfc protect`: monitor, limits, schedule, rotation of logs and backups by one command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from .. import wiring
from ..config import BackupConfig, RateLimitConfig
from ..errors import NotConfirmedError, RefusedError, UsageError
from ..operations.protect import (
    PartState,
    Protected,
    ProtectionShown,
    Unprotected,
    protect,
    protection_shown,
)
from ..operations.protect import undo as take_back
from ..operations.protect.look import PartIs
from ..stack.model import Capability
from ..stack.protection import (
    BACKUPS,
    LIMITS,
    MONITOR,
    NAMES,
    SCHEDULE,
    BackupsPart,
    LimitsPart,
    MonitorPart,
    Part,
    Protection,
    SchedulePart,
    read,
)
from .maintenance import schedule_plan
from .monitor import monitor_plan, owner_of
from .output import Writer, moment_text
from .session import Session, pass_session
from .tables import paragraph

Names = tuple[str, ...]
NONE = "none"
#: The variable with the password of a server, which no unit and no line of cron gets.
SHELL_ONLY = "QFIELDCLOUD_VPS_PASSWORD"
HELP = """Protect a stack by one command: a monitor that repairs what is safe, limits on synchronisations,
maintenance by schedule with rotation of logs, and backups.

What is there already stays as it is; what is missing is put in place, all of it or nothing. A second run changes
nothing. `qfc doctor` and `qfc status` report what has gone since.

Where backups go is asked once; scripts say it: --backups PLACE, or --no-backups. With --yes they go where they would
without a setting.
"""


@click.command("protect", help=HELP)
@click.option("--undo", is_flag=True, help="Take back what was put in place; what you had before stays.")
@click.option("--status", is_flag=True, help="Show each part. Exit code 1 unless all are there.")
@click.option("--backups", metavar="PLACE", help="Where backups go: a folder, sftp://…, or a file that names a bucket.")
@click.option("--no-backups", is_flag=True, help="Leave backups out.")
@click.option("--without", multiple=True, type=click.Choice(NAMES), help="Leave a part out; can be repeated.")
@click.option("--cron", is_flag=True, help="Use cron even where systemd runs.")
@pass_session
def command(
    session: Session,
    undo: bool,
    status: bool,
    backups: str | None,
    no_backups: bool,
    without: tuple[str, ...],
    cron: bool,
) -> int:
    """Protect the stack."""
    _require_one_wish(undo=undo, status=status, backups=backups, no_backups=no_backups, without=without)
    if undo:
        taken = take_back(session.ports, session.options)
        session.writer.result(taken, lambda writer: _write_undone(writer, taken), quiet="")
        return 0
    if not status:
        _require_own_configuration(session)
    backups, left_out = _wish(session, backups, [*without, *([BACKUPS] if no_backups else [])], asks=not status)
    parts = tuple(_parts(session, backups, left_out, by_cron=cron))
    if status:
        shown = protection_shown(session.ports, parts, left_out)
        session.writer.result(shown, lambda writer: _write_shown(writer, shown), quiet=str(shown.protected).lower())
        return 0 if shown.protected else 1
    return _protect(session, parts, left_out)


def _require_own_configuration(session: Session) -> None:
    """Refuse as root what is another account's: jobs that run as it could not read a key that root wrote."""
    owner = owner_of(session)
    if os.geteuid() == 0 and owner != "root":
        raise RefusedError(
            f"{session.config.path} belongs to {owner}, who could not read what root writes.",
            hint=f"Type it as {owner}: sudo -iu {owner}. Or give the configuration and the stack's folder to root.",
        )


def _wish(session: Session, backups: str | None, without: list[str], *, asks: bool) -> tuple[str | None, Names]:
    """Return where backups go, None for the usual place, and what is left out: as the last time, if nothing is said."""
    known = read(session.ports.own_records)
    left_out = tuple(dict.fromkeys(without)) or (known.without if known else ())
    if BACKUPS not in left_out:
        backups = backups or _remembered(session, known)
    if backups:
        return backups, tuple(one for one in left_out if one != BACKUPS)
    return _place_asked(session, left_out) if asks and BACKUPS not in left_out else (None, left_out)


def _remembered(session: Session, known: Protection | None) -> str | None:
    """Return the place of the last time, where somebody has taken it out of the configuration since."""
    kept = known.ours.get(BACKUPS) if known else None
    return kept.wanted["value"] if kept and not _has_place(session) else None


def _require_one_wish(
    *, undo: bool, status: bool, backups: str | None, no_backups: bool, without: tuple[str, ...]
) -> None:
    if (undo or status) and (undo is status or backups or no_backups or without):
        raise UsageError("--undo and --status go with no other option.", hint="See: qfc protect --help")
    if backups and (no_backups or BACKUPS in without):
        raise UsageError("--backups says where they go, and another option leaves them out.", hint="Give only one.")


def _protect(session: Session, parts: tuple[Part, ...], left_out: Names) -> int:
    """Show the plan where somebody can say no to it, then do it."""
    options, question = session.options, ""
    if options.ask and not options.yes and not options.dry_run:
        plan = protect(session.ports, parts, replace(options, dry_run=True), without=left_out)
        for number, step in enumerate(plan.steps, 1):
            session.writer.remark(f"{number}. {step}")
        question = "Do this?" if plan.steps else ""
    done = protect(session.ports, parts, options, without=left_out, question=question)
    session.writer.result(done, lambda writer: _write_protected(writer, done), quiet="")
    return 0


def _place_asked(session: Session, left_out: Names) -> tuple[str | None, Names]:
    """Return where backups go, asked on a terminal where the stack has none; and what is left out then."""
    options = session.options
    if not session.ports.offers(Capability.BACKUPS):
        return None, (*left_out, BACKUPS)
    if session.ports.backups.keys.recipient() is not None:
        return None, left_out
    if options.yes or options.dry_run or _has_place(session):
        return None, left_out
    if options.ask is None:
        raise NotConfirmedError("Where shall backups go?", hint="Add --backups PLACE, --no-backups or --yes.")
    usual = session.ports.backups.store.place
    answer = click.prompt(f"Folder for backups, best on another disk ({NONE}: no backups)", default=usual, err=True)
    if answer.strip().lower() == NONE:
        return None, (*left_out, BACKUPS)
    return (None if answer == usual else answer), left_out


def _has_place(session: Session) -> bool:
    table = session.config.table(BackupConfig)
    return any(one is not None for one in (table.folder, table.bucket_file, table.sftp, table.repository))


def _parts(session: Session, place: str | None, left_out: Names, *, by_cron: bool) -> Iterator[Part]:
    """Yield the parts that are wanted."""
    if BACKUPS not in left_out and session.ports.offers(Capability.BACKUPS):
        yield _backups(session, place)
    if LIMITS not in left_out:
        limits = session.config.table(RateLimitConfig)
        yield LimitsPart(limits.all_per_minute, limits.project_per_minute)
    is_system = os.geteuid() == 0
    by_cron = by_cron or not wiring.units(system=is_system).usable()
    if SCHEDULE not in left_out:
        yield SchedulePart(schedule_plan(session), by_cron, is_system)
    if MONITOR not in left_out:
        name = session.ports.name
        yield MonitorPart(name, monitor_plan(session, (name,)), by_cron)


def _backups(session: Session, place: str | None) -> BackupsPart:
    """Return the part of backups; the ports that are used from here on know the new place."""
    config = str(session.config.path.absolute())
    if place is None:
        return BackupsPart(config, None, None, session.ports.backups.store.place)
    setting, value = _place_setting(place)
    if getattr(session.config.table(BackupConfig), setting) == value:
        return BackupsPart(config, None, None, session.ports.backups.store.place)
    if _has_place(session):
        raise UsageError(
            f"[backup] in {config} names another place already.", hint="Change it there, or leave --backups out."
        )
    session.use_backup({setting: value})
    return BackupsPart(config, setting, str(value), session.ports.backups.store.place)


def _place_setting(place: str) -> tuple[str, str | Path]:
    """Return the setting of [backup] that names a place, and its value."""
    if place.startswith("sftp://"):
        return "sftp", place
    path = Path(place).expanduser().absolute()
    return ("bucket_file" if path.is_file() else "folder"), path


def _write_protected(writer: Writer, result: Protected) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    if not result.changed:
        writer.line(f"{result.stack} is protected already; nothing to change.")
    else:
        writer.line(f"{result.stack} is protected. Take it back: qfc protect --undo")
        _write_next(writer, result)
    _write_parts(writer, result.parts)


def _write_next(writer: Writer, result: Protected) -> None:
    """Write what is left to people."""
    ours = {one.name for one in result.parts if one.state is PartIs.PROTECTED}
    if BACKUPS in ours:
        writer.line("Print the recovery sheet of the backups: qfc db keys --sheet; the first one now: qfc db backup")
    if MONITOR in ours:
        writer.line("Let messages reach you: [notify] in the configuration, then: qfc monitor test-notify")
        if SHELL_ONLY in os.environ:
            writer.line("Neither monitor nor schedule has the password of this shell: they need a key for the server.")
        if os.geteuid() != 0:
            writer.line("To go on after you log out, type: loginctl enable-linger")


def _write_undone(writer: Writer, result: Unprotected) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        return
    writer.line(f"{result.stack} is protected no more." if result.changed else f"{result.stack} is not protected.")
    for sentence in result.stays:
        paragraph(writer, f"{sentence[0].upper()}{sentence[1:]}", indent=2)


def _write_shown(writer: Writer, result: ProtectionShown) -> None:
    if result.at is None:
        writer.line(f"{result.stack} is not protected. Type: qfc protect")
    else:
        state = "is protected" if result.protected else "is protected in part; put it in place again: qfc protect"
        writer.line(f"{result.stack} {state} (by {result.who}, {moment_text(result.at)})")
    _write_parts(writer, result.parts)


def _write_parts(writer: Writer, parts: tuple[PartState, ...]) -> None:
    rows = [(one.name, one.state, one.detail) for one in parts]
    writer.table(("PART", "STATE", "WHAT"), rows, folded=(2,))
