"""Put one part of a protection in place, or take it back, by the operations of its own command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...config import read_text, writing
from ...errors import QfcError
from ...stack.monitor_unit import NAME, is_about, watched
from ...stack.ports import Ports
from ...stack.protection import BACKUP_TABLE, BackupsPart, Kept, LimitsPart, MonitorPart, Part, SchedulePart, part_of
from ..backup.keys import db_keys
from ..backup.make import require_first_key
from ..guard import Options
from ..maintenance.schedule import install_cron, install_timers, maintenance_uninstall
from ..monitor.install import (
    end_monitor,
    install_monitor_line,
    monitor_install,
    monitor_uninstall,
    remove_monitor_line,
)
from ..ratelimit import ratelimit_enable, ratelimit_restore


def refusal(part: Part, ports: Ports) -> str | None:
    """Return why a part cannot be put in place here; None where it can."""
    match part:
        case MonitorPart():
            return _starter_refusal(part, ports, by_cron=part.by_cron) or _other_monitor(part, ports)
        case SchedulePart():
            if part.by_cron and part.plan.zone:
                return "cron knows only the time zone of the machine, and [maintenance] names one"
            return _starter_refusal(part, ports, by_cron=part.by_cron)
        case LimitsPart():
            return ports.rate_limits.refusal()
        case BackupsPart():
            return _foreign_backups(part, ports)
        case _:
            return f"{part.name} is unknown to this release"


def before(part: Part, ports: Ports) -> dict[str, Any]:
    """Return what is in the place of a part, for `take_back`."""
    match part:
        case MonitorPart():
            text = part.text(ports)
            return {"stacks": None if text is None else list(watched(text) or ())}
        case LimitsPart():
            limits = ports.rate_limits.wanted()
            return {"all": limits.all_per_minute, "project": limits.project_per_minute}
        case BackupsPart():
            return {"key": ports.backups.keys.recipient() is not None}
        case _:
            return {}


def are_theirs(part: Part, kept: Kept | None, ports: Ports) -> bool:
    """Return whether limits are set that we did not set, or that somebody has changed since."""
    if not isinstance(part, LimitsPart) or not part.are_set(ports):
        return False
    return kept is None or not kept.is_ours or not part_of(part.name, kept.wanted).is_as_wanted(ports)


def with_their_numbers(part: Part, kept: Kept | None, ports: Ports) -> Part:
    """Return the part as it is to be put in place: limits of the operator that nginx has lost keep their numbers."""
    limits = ports.rate_limits.wanted()
    theirs = LimitsPart(limits.all_per_minute, limits.project_per_minute)
    return theirs if are_theirs(part, kept, ports) else part


def put(part: Part, ports: Ports, options: Options) -> None:
    """Put a part in place. Raises QfcError."""
    match part:
        case MonitorPart():
            _watch(part, ports, options)
        case SchedulePart() if part.by_cron:
            install_cron(ports, part.plan, part.crontab(ports), options)
        case SchedulePart():
            install_timers(ports, part.plan, part.units(ports), options)
        case LimitsPart():
            numbers = {"all_per_minute": part.all_per_minute, "project_per_minute": part.project_per_minute}
            ratelimit_enable(ports, options, **numbers)
        case BackupsPart():
            _prepare_backups(part, ports, options)
        case _:
            raise QfcError(f"{part.name} is unknown to this release.", hint="Use the release that put it there.")


def take_back(
    part: Part, earlier: Mapping[str, Any], ports: Ports, options: Options, *, is_undo: bool = True
) -> str | None:
    """Take a part back; return what of it stays, and why. What is gone already is no error. Raises QfcError.

    `is_undo`: it has been there for a while, and others may rely on it by now.
    """
    match part:
        case MonitorPart():
            return _watch_no_more(part, earlier, ports, options)
        case SchedulePart():
            units, crontab = (None, part.crontab(ports)) if part.by_cron else (part.units(ports), None)
            if part.is_there(ports):
                maintenance_uninstall(ports, part.plan, units, crontab, options)
            return None
        case LimitsPart():
            return _limit_no_more(part, earlier, ports, options) if earlier else None
        case BackupsPart():
            return _forget_place(part, earlier, ports, is_undo=is_undo)
        case _:
            return f"{part.name} is unknown to this release"


def _starter_refusal(part: MonitorPart | SchedulePart, ports: Ports, *, by_cron: bool) -> str | None:
    is_system = part.plan.is_system if isinstance(part, MonitorPart) else part.is_system
    if by_cron:
        crontab = ports.here.crontab((part.plan.account or "root") if is_system else "")
        return None if crontab.usable() else "neither systemd nor cron runs here for this account"
    return None if ports.here.units(system=is_system).usable() else "systemd does not run here for this account"


def _other_monitor(part: MonitorPart, ports: Ports) -> str | None:
    text = part.text(ports)
    if text is None or is_about(text, part.plan):
        return None
    return "a monitor is installed here that has another configuration"


def _watch(part: MonitorPart, ports: Ports, options: Options) -> None:
    """Install the monitor, or let the one that is installed watch one more stack."""
    text = part.text(ports)
    stacks = watched(text) if text is not None else (part.stack,)
    _install(part, tuple(dict.fromkeys((*stacks, part.stack))) if stacks else (), text, ports, options)


def _install(part: MonitorPart, stacks: tuple[str, ...], text: str | None, ports: Ports, options: Options) -> None:
    one, here = part.with_stacks(stacks), ports.here
    if part.by_cron:
        install_monitor_line(here.crontab(one.cron_account), one.plan, options)
        if text is not None:
            end_monitor(here, one.plan)  # The line starts it again, with its other stacks.
        return
    units = here.units(system=one.plan.is_system)
    monitor_install(units, one.plan, options)
    if text is not None:
        units.restart(NAME)


def _watch_no_more(part: MonitorPart, earlier: Mapping[str, Any], ports: Ports, options: Options) -> str | None:
    """Take the stack from those that the monitor watches; remove a monitor that has none left."""
    text = part.text(ports)
    if text is None or not part.covers(text):
        return None
    if earlier["stacks"] is not None and (not earlier["stacks"] or part.stack in earlier["stacks"]):
        return None
    left = tuple(one for one in watched(text) or () if one != part.stack)
    if not watched(text):
        return "the monitor stays, since somebody let it watch all stacks: qfc monitor uninstall"
    if left:
        _install(part, left, text, ports, options)
    elif part.by_cron:
        remove_monitor_line(ports.here.crontab(part.cron_account), ports.here, part.plan, options)
    else:
        monitor_uninstall(ports.here.units(system=part.plan.is_system), part.plan, options)
    return None


def _limit_no_more(part: LimitsPart, earlier: Mapping[str, Any], ports: Ports, options: Options) -> str | None:
    limits = ports.rate_limits.wanted()
    if limits.all_per_minute is None and limits.project_per_minute is None:
        return None
    if not part.is_as_wanted(ports):
        return "the limits stay, since somebody changed them: qfc ratelimit disable"
    ratelimit_restore(ports, options, all_per_minute=earlier["all"], project_per_minute=earlier["project"])
    return None


def _foreign_backups(part: BackupsPart, ports: Ports) -> str | None:
    store = ports.backups.store
    if ports.backups.keys.recipient() is not None:
        return f"{store.place} has backups that its key cannot read" if part.setting and store.unreadable() else None
    try:
        require_first_key(ports)
    except QfcError as error:
        return error.message.rstrip(".")
    return None


def _prepare_backups(part: BackupsPart, ports: Ports, options: Options) -> None:
    """Write the place, unless somebody has named another one; create the key, unless there is one."""
    if part.setting and part.value and not part.has_place(ports):
        path = Path(part.config)
        writing.write(path, writing.with_value(read_text(path), BACKUP_TABLE, part.setting, part.value))
    if ports.backups.keys.recipient() is None:
        db_keys(ports, options)


def _forget_place(part: BackupsPart, earlier: Mapping[str, Any], ports: Ports, *, is_undo: bool) -> str | None:
    """Take the place out of the configuration, unless backups are made there.

    The key always stays: a place that is not mounted, or that was moved, looks like one without backups.
    """
    why = _needed(part, ports) if is_undo else None
    if part.setting and part.value and why is None:
        path, text = Path(part.config), read_text(Path(part.config))
        left = writing.without_value(text, BACKUP_TABLE, part.setting, part.value)
        if left != text:
            writing.write(path, left)
    key = "" if earlier.get("key") else "the key of the backups stays, since nothing else can read those made with it"
    return "; ".join(filter(None, (why, key))) or None


def _needed(part: BackupsPart, ports: Ports) -> str | None:
    """Return why the place stays in the configuration; None if it may go, or is not there."""
    if not part.setting or ports.here.table(Path(part.config), BACKUP_TABLE).get(part.setting) != part.value:
        return None
    others = [one for one in ports.here.with_key(Path(part.config)) if one != ports.name]
    if others:
        return f"the place of backups stays in {part.config}, since it is also that of {', '.join(others)}"
    store = ports.backups.store
    if store.manifests() or store.unreadable():
        return f"the place of backups stays in {part.config}, since there are some in {store.place}"
    return None
