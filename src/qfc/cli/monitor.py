"""`qfc monitor`: watch stacks, repair what is safe, tell what is not."""

from __future__ import annotations

import logging
import os
import pwd
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigError, QfcError, UsageError
from ..operations.logs import span
from ..operations.monitor import orders, review
from ..stack.monitor_unit import CRON, NAME
from .output import Writer, brief_text, moment_text, plain, time_text
from .session import Session, pass_session
from .tables import paragraph

if TYPE_CHECKING:
    from ..operations.monitor.install import MonitorUnit
    from ..stack.monitor import Limits
    from ..stack.monitor_unit import MonitorPlan
    from ..stack.ports import Ports, Post
    from ..stack.ports.monitoring import Incident

log = logging.getLogger("qfc.monitor")
WHY = "Why; people and the log are told."


@click.group("monitor")
def command() -> None:
    """Watch stacks around the clock: repair what is safe, tell people of the rest."""


@command.command("run")
@click.argument("stacks", nargs=-1)
@pass_session
def run_command(session: Session, stacks: tuple[str, ...]) -> None:
    """Watch the stacks (by default all that are configured) until Ctrl-C or SIGTERM.

    Every 10 seconds it looks, every 5 minutes at everything. It repairs what an explicit list allows, within limits,
    and says of everything else what to type. For a server, see: qfc monitor install
    """
    from ..monitor.daemon import Daemon

    limits, posts, url = limits_of(session), _posts(session), _ping_url(session)
    # Nobody reads the answer of a unit, or of a line of cron, that names a stack which is configured no more.
    watched = wired(session, _names(session, stacks if session.options.ask else configured(session, stacks)))

    def say(stack: str, sentence: str) -> None:
        session.writer.remark(f"{stack}: {sentence}")

    daemon = Daemon(watched, limits, posts, say=say, ping_url=url)
    daemon.end_on_signals()
    session.writer.remark(f"Watching {', '.join(one.name for one in watched)}. End it with Ctrl-C.")
    daemon.run()


@command.command("status")
@pass_session
def status_command(session: Session) -> int:
    """Show who watches the stack, what is wrong, what was given up. Exit code 1 unless all is well and watched."""
    result = review.monitor_status(session.ports)
    session.writer.result(_document(result), lambda writer: _write_status(writer, result), quiet=result.verdict)
    return 0 if result.verdict == "ok" else 1


@command.command("pause")
@click.option("--for", "span_", metavar="SPAN", help="How long: 90s, 15m, 2h, 3d …; by default until it is resumed.")
@click.option("--reason", required=True, help=WHY)
@pass_session
def pause_command(session: Session, span_: str | None, reason: str) -> None:
    """Let the monitor only observe: it repairs nothing and tells nobody."""
    seconds = span(span_).total_seconds() if span_ else None
    write_order(session, orders.pause(session.ports, session.options, seconds=seconds, why=reason))


@command.command("resume")
@pass_session
def resume_command(session: Session) -> None:
    """End a pause; let the monitor repair again what it has given up."""
    write_order(session, orders.resume(session.ports, session.options))


@command.command("incidents")
@click.option("--lines", default=20, show_default=True, type=click.IntRange(1), help="Number of incidents to show.")
@click.option("--events", is_flag=True, help="Also show what was seen, tried and told.")
@pass_session
def incidents_command(session: Session, lines: int, events: bool) -> None:
    """List incidents from beginning to end, newest first."""
    found = review.incidents(session.ports, limit=lines)
    session.writer.result({"incidents": found}, lambda writer: _write_incidents(writer, found, events=events))


@command.command("log")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(1), help="Number of sentences to show.")
@click.option("--looks", type=click.IntRange(1), help="Print so many recorded looks instead, for qfc monitor replay.")
@pass_session
def log_command(session: Session, lines: int, looks: int | None) -> None:
    """Show what the monitor decided, with its reasons, newest first."""
    if looks is not None:
        _write_looks(session, looks)
        return
    notes = review.log(session.ports, limit=lines)

    def write(writer: Writer) -> None:
        rows = [(time_text(one.first), time_text(one.last), one.times, one.text) for one in notes]
        writer.table(("FIRST (UTC)", "LAST (UTC)", "TIMES", "DECISION"), rows, right=(2,), folded=(3,))

    session.writer.result({"notes": notes}, write)


@command.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_session
def replay_command(session: Session, file: Path) -> None:
    """Decide again about recorded looks, with the present limits. Nothing is repaired, nobody is told."""
    name = session.stack or "replay"
    steps = review.replay(name, file, limits_of(session))

    def write(writer: Writer) -> None:
        before = ""
        for step in steps:
            if step.notes[0] != before:
                before = step.notes[0]
                writer.line(f"{time_text(step.at)}  {before}")
            if step.message:
                writer.line(f"{time_text(step.at)}  Would tell: {step.message}")

    session.writer.result({"steps": steps}, write)


@command.command("test-notify")
@pass_session
def test_command(session: Session) -> int:
    """Send a test message by every configured route. Exit code 1 unless all of them worked."""
    from ..operations.monitor.trial import trial

    result = trial(_posts(session), host=socket.gethostname(), dry_run=session.dry_run)

    def write(writer: Writer) -> None:
        writer.plan(f"send a test message by {one.route}" for one in result.routes if result.dry_run)
        for one in () if result.dry_run else result.routes:
            writer.line(f"{one.route}: {writer.paint('done' if one.ok else 'failed')} {one.error}".rstrip())

    session.writer.result(result, write)
    return 0 if result.ok else 1


@command.command("install")
@click.argument("stacks", nargs=-1)
@click.option("--system/--user", "system", default=None, help="A unit of the system, or of this user.")
@click.option("--cron", is_flag=True, help="Use cron instead of systemd: your crontab, for root a file in /etc/cron.d.")
@pass_session
def install_command(session: Session, stacks: tuple[str, ...], system: bool | None, cron: bool) -> None:
    """Let systemd run the monitor: write the unit, enable and start it. With --dry-run, print it."""
    from .. import wiring
    from ..operations.monitor.install import install_monitor_line, monitor_install

    plan = monitor_plan(session, _names(session, stacks) if stacks else (), system)
    if cron:
        result = install_monitor_line(wiring.crontab(cron_account(session, system)), plan, session.options)
    else:
        result = monitor_install(wiring.units(system=_is_system(system)), plan, session.options)
    session.writer.result(result, lambda writer: _write_unit(writer, result, "is installed"), quiet=str(result.path))


@command.command("uninstall")
@click.option("--system/--user", "system", default=None, help="A unit of the system, or of this user.")
@pass_session
def uninstall_command(session: Session, system: bool | None) -> None:
    """Stop the monitor and remove its unit, or its line of cron. The stacks go on."""
    from .. import wiring
    from ..operations.monitor.install import monitor_uninstall, remove_monitor_line

    units, plan = wiring.units(system=_is_system(system)), monitor_plan(session, (), system)
    crontab = wiring.crontab(cron_account(session, system))
    if units.text(NAME) is None and crontab.usable() and crontab.block(CRON) is not None:
        result = remove_monitor_line(crontab, wiring.this_machine(), plan, session.options)
    else:
        result = monitor_uninstall(units, plan, session.options)
    session.writer.result(result, lambda writer: _write_unit(writer, result, "is removed"), quiet="")


def limits_of(session: Session) -> Limits:
    """Return the limits of the configuration."""
    from ..config import MonitorConfig, NotifyConfig, Switch
    from ..stack.findings import Severity
    from ..stack.monitor import Limits

    config = session.config
    table, notify = config.table(MonitorConfig), config.table(NotifyConfig)
    return Limits(
        look_s=table.look_seconds,
        hurry_s=min(Limits.hurry_s, table.look_seconds),
        deep_s=table.deep_seconds,
        heals=table.heal is Switch.ON,
        severity=Severity(notify.severity.value),
    )


def _names(session: Session, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stacks to watch: the named ones, else that of --stack, else all. Raises ConfigError, UsageError."""
    config = session.config
    names = stacks or ((session.stack,) if session.stack else tuple(config.stacks))
    if not names:
        raise ConfigError([f"No stack is configured in {config.path}."], hint="Type: qfc init")
    for name in names:
        if name not in config.stacks:
            raise UsageError(f"There is no stack named {name}.", hint="See: qfc stacks")
    return tuple(dict.fromkeys(names))


def configured(session: Session, stacks: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the stacks that are configured, for one that is gone ends no other's watch; all if none is."""
    known = tuple(one for one in stacks if one in session.config.stacks)
    for name in stacks if known else ():
        if name not in known:
            log.error("%s is not watched: it is not configured any more. Type: qfc monitor install", name)
    return known or stacks


def wired(session: Session, names: tuple[str, ...]) -> tuple[Ports, ...]:
    """Return the ports of the stacks. One that has none keeps nobody from watching the others.

    Raises QfcError if none is left.
    """
    found: list[Ports] = []
    errors: list[QfcError] = []
    for name in names:
        try:
            found.append(session.other(name))
        except QfcError as error:
            errors.append(error)
            # Without a handler, and under systemd, the log is standard error; unlike remarks it is heard with --quiet.
            log.error("%s is not watched: %s %s", name, error.message, error.hint)  # noqa: TRY400 - no traceback
    if not found:
        raise errors[0]
    return tuple(found)


def _posts(session: Session) -> tuple[Post, ...]:
    from .. import wiring
    from ..config import NotifyConfig

    return wiring.posts(session.config.table(NotifyConfig))


def _ping_url(session: Session) -> str | None:
    from ..config import MonitorConfig

    path = session.config.table(MonitorConfig).ping_url_file
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} cannot be read."], hint="Check monitor.ping_url_file.") from error


def _is_system(system: bool | None) -> bool:
    return os.geteuid() == 0 if system is None else system


def cron_account(session: Session, system: bool | None = None) -> str:
    """Return the account for the system's table of cron: the owner of the configuration; "" for a user's own table."""
    return owner_of(session) if _is_system(system) else ""


def monitor_plan(session: Session, stacks: tuple[str, ...], system: bool | None = None) -> MonitorPlan:
    """Return how the monitor is called for some stacks, or () for all."""
    from ..stack.monitor_unit import MonitorPlan

    config, owner = session.config, owner_of(session)
    environment = {"QFC_CONFIG": str(config.path.absolute()), "QFC_HOME": str(config.home)}
    account = None if owner == "root" else owner
    return MonitorPlan((sys.executable, "-m", "qfc"), stacks, account, _is_system(system), environment)


def owner_of(session: Session) -> str:
    """Return the account that owns the configuration."""
    path = session.config.path
    return pwd.getpwuid(path.stat().st_uid if path.exists() else os.geteuid()).pw_name


def _document(result: review.MonitorStatus) -> dict[str, Any]:
    return {**plain(result), "given_up": list(result.given_up)}


def _write_status(writer: Writer, result: review.MonitorStatus) -> None:
    if result.watcher:
        since = moment_text(result.since)
        writer.line(f"{result.stack} is {writer.paint(result.verdict)}; {result.watcher} has watched it since {since}.")
    else:
        writer.line(f"{result.stack} is {writer.paint('unknown')}: nobody watches it. Type: qfc monitor run")
    if not result.finding.is_well:
        paragraph(writer, result.finding.evidence)
    writer.line(f"Last look  {moment_text(result.looked_at)}")
    if result.last is not None:
        times = f" ({result.last.times} times, since {time_text(result.last.first)})" if result.last.times > 1 else ""
        writer.line(f"Decision   {result.last.text}{times}")
    if result.pause is not None:
        writer.line(f"Paused     {result.pause}")
    for sentence in result.given_up:
        writer.line(f"Given up   {sentence} When its cause is removed: qfc monitor resume")
    for alert in result.alerts:
        paragraph(writer, f"{alert.id}  {alert.finding.title} ({writer.paint(alert.finding.severity)})")
        paragraph(writer, f"since {moment_text(alert.opened)}: {alert.finding.evidence}", indent=4)
        for sentence in alert.tried:
            paragraph(writer, f"tried {sentence}", indent=4)
        paragraph(writer, f"→ {alert.finding.fix}", indent=4)


def write_order(session: Session, result: orders.Ordered) -> None:
    """Write what the monitor was told."""

    def write(writer: Writer) -> None:
        if result.dry_run:
            writer.plan([result.did])
        else:
            writer.line(f"{result.stack}: {result.did}. The monitor obeys at its next look.")

    session.writer.result(result, write, quiet="")


def _write_incidents(writer: Writer, found: tuple[Incident, ...], *, events: bool) -> None:
    if not found:
        writer.line("There was no incident yet.")
        return
    if not events:
        rows = [(time_text(one.opened), _lasted(one), one.alert, one.severity, one.title, _tried(one)) for one in found]
        writer.table(("BEGAN (UTC)", "LASTED", "ALERT", "SEVERITY", "WHAT", "TRIED"), rows, right=(1,), folded=(4, 5))
        return
    for one in found:
        paragraph(writer, f"{time_text(one.opened)}  {one.alert}  {one.title} ({one.severity}), {_lasted(one)}")
        for event in one.events:
            paragraph(writer, f"{time_text(event.at)}  {event.kind}: {event.text}", indent=4)
        writer.line()


def _lasted(one: Incident) -> str:
    return "open" if one.closed is None else brief_text((one.closed - one.opened).total_seconds())


def _tried(one: Incident) -> str:
    tried = [event.text for event in one.events if event.kind == "tried"]
    return tried[-1] if tried else "-"


def _write_looks(session: Session, looks: int) -> None:
    import json

    from ..stack.monitor.codec import document

    for look in review.recorded(session.ports, limit=looks):
        session.writer.quoted(json.dumps(document(look), ensure_ascii=False))


def _write_unit(writer: Writer, result: MonitorUnit, did: str) -> None:
    if result.dry_run:
        writer.plan(result.steps)
        writer.line()
        writer.line(result.text.rstrip())
        return
    writer.line(f"{result.unit} {did}{f': {writer.paint(result.state)}' if result.state else ''}.")
    if result.unit == "cron":
        writer.line("cron starts it within a minute." if result.installed else "")
    elif not result.is_system and result.installed:
        writer.line("To start it before you log in, type: loginctl enable-linger")
