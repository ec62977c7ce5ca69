"""`qfc users`: users and organizations, passwords and quotas."""

from __future__ import annotations

import sys

import click

from ..errors import UsageError
from ..operations.users_create import Account, users_create, users_password
from ..operations.users_disable import Access, users_disable
from ..operations.users_list import UsersList, users_list
from ..operations.users_quota import Quota, QuotaChanged, users_plans, users_quota, users_set_quota
from ..operations.users_unlock import users_unlock
from ..stack.model import Plan
from . import complete
from .output import Writer, bytes_text, time_text
from .session import Session, pass_session
from .tables import facts, paragraph

stdin_option = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input."
)
generate_option = click.option("--generate", is_flag=True, help="Generate a password and show it once.")


@click.group("users")
def command() -> None:
    """List and create users; set passwords and quotas."""


@command.command("list")
@pass_session
def list_command(session: Session) -> None:
    """List users and organizations."""
    result = users_list(session.ports)
    names = "\n".join(user.username for user in result.users)
    session.writer.result(result, lambda writer: write_list(writer, result), quiet=names)


@command.command("create")
@click.argument("username")
@click.option("--email", default="", help="The user's email address; it can be used to log in.")
@click.option("--superuser", is_flag=True, help="Grant all rights, and access to the admin.")
@stdin_option
@generate_option
@pass_session
def create_command(
    session: Session, username: str, email: str, superuser: bool, from_stdin: bool, generate: bool
) -> None:
    """Create a user. Asks for the password unless --password-stdin or --generate is given."""
    password = choose_password(session, username, from_stdin=from_stdin, generate=generate)
    account = users_create(
        session.ports, username, email=email, superuser=superuser, password=password, options=session.options
    )
    write_account(session, account, "created")


@command.command("password")
@click.argument("username", shell_complete=complete.users)
@stdin_option
@generate_option
@pass_session
def password_command(session: Session, username: str, from_stdin: bool, generate: bool) -> None:
    """Set a user's password and log them out everywhere. Asks for it unless --password-stdin or --generate is given."""
    password = choose_password(session, username, from_stdin=from_stdin, generate=generate)
    account = users_password(session.ports, username, password=password, options=session.options)
    write_account(session, account, "given a new password and logged out everywhere")


@command.command("disable")
@click.argument("username", shell_complete=complete.users)
@click.option("--undo", is_flag=True, help="Allow the user to log in again.")
@pass_session
def disable_command(session: Session, username: str, undo: bool) -> None:
    """Log a user out everywhere and block their login. Their projects and edits stay."""
    result = users_disable(session.ports, username, enable=undo, options=session.options)
    session.writer.result(result, lambda writer: write_access(writer, result), quiet=result.username)


@command.command("unlock")
@click.argument("username")
@pass_session
def unlock_command(session: Session, username: str) -> None:
    """Let a user log in again at once who is locked out after wrong passwords."""
    result = users_unlock(session.ports, username, session.options)
    can = "would be able to" if result.dry_run else "can"
    session.writer.result(
        result, lambda writer: writer.line(f"{result.username} {can} log in again."), quiet=result.username
    )


@command.command("quota")
@click.argument("username", shell_complete=complete.users)
@click.option("--set", "size", metavar="SIZE", help="Set the storage quota: 500MB, 20GB, 1.5TB.")
@click.option("--plan", metavar="CODE", help="Give the account this plan, and activate it.")
@pass_session
def quota_command(session: Session, username: str, size: str | None, plan: str | None) -> None:
    """Show an account's storage, quota and problems with its plan; or set the quota or the plan."""
    if size is not None or plan is not None:
        changed = users_set_quota(session.ports, username, session.options, size=size, plan=plan)
        session.writer.result(changed, lambda writer: write_quota_changed(writer, changed), quiet=str(changed.after))
        return
    result = users_quota(session.ports, username)
    session.writer.result(result, lambda writer: write_quota(writer, result), quiet=str(result.storage_used_bytes))


@command.command("plans")
@pass_session
def plans_command(session: Session) -> None:
    """List the plans that accounts can have."""
    result = users_plans(session.ports)
    codes = "\n".join(plan.code for plan in result)
    session.writer.result({"plans": result}, lambda writer: write_plans(writer, result), quiet=codes)


def choose_password(session: Session, username: str, *, from_stdin: bool, generate: bool) -> str | None:
    """Return the password, read or asked for; None when one is to be generated. Raises UsageError."""
    if from_stdin and generate:
        raise UsageError("--password-stdin and --generate exclude each other.", hint="Give only one of them.")
    if generate or session.dry_run:
        return None
    if from_stdin:
        return read_password()
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the password.", hint="Add --password-stdin or --generate.")
    return click.prompt(f"Password for {username}", hide_input=True, confirmation_prompt=True, err=True)


def read_password() -> str:
    """Return the first line of standard input. Raises UsageError when it is empty."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageError("Standard input contains no password.", hint="Try: … --password-stdin < FILE")
    return password


def write_list(writer: Writer, result: UsersList) -> None:
    """Print a table of accounts."""
    if not result.users:
        writer.line("No accounts yet. Type: qfc users create NAME")
        return
    rows = [
        (
            user.username,
            user.type + (" (superuser)" if user.is_superuser else "") + ("" if user.is_active else " (disabled)"),
            user.email or None,
            time_text(user.last_login)[:10],
            f"{bytes_text(user.storage_used_bytes)} of {bytes_text(user.storage_quota_bytes)}",
        )
        for user in result.users
    ]
    writer.table(("NAME", "TYPE", "EMAIL", "LAST LOGIN (UTC)", "STORAGE"), rows, right=(4,), folded=(2,))


def write_account(session: Session, account: Account, verb: str) -> None:
    """Write an account that was created or changed, with its password if it was generated here."""

    def human(writer: Writer) -> None:
        writer.line(f"{account.username} {'would be' if account.dry_run else 'was'} {verb}.")
        if account.password:
            writer.line(f"Password, shown once: {account.password}")
        for problem in account.problems:
            writer.line(problem)

    session.writer.result(account, human, quiet=account.password or account.username)


def write_access(writer: Writer, result: Access) -> None:
    """Print whether a user may log in."""
    if result.dry_run:
        writer.line(
            f"{result.username} would be changed; currently they {'can' if result.is_active else 'cannot'} log in."
        )
    elif result.is_active:
        writer.line(f"{result.username} can log in again.")
    else:
        writer.line(f"{result.username} can no longer log in; {result.tokens_ended} tokens were revoked.")


def write_quota(writer: Writer, result: Quota) -> None:
    """Print a quota."""
    used = None if result.used is None else f"{result.used:.1%}"
    pairs = [
        ("Account", result.username),
        ("Used", bytes_text(result.storage_used_bytes)),
        (
            "Quota",
            bytes_text(result.storage_quota_bytes) if result.storage_quota_bytes is not None else "no known limit",
        ),
        ("Share", used),
        ("Plan", f"{result.subscription.plan}, {result.subscription.status}" if result.subscription else None),
    ]
    facts(writer, pairs)
    for problem in result.problems:
        paragraph(writer, problem)


def write_quota_changed(writer: Writer, result: QuotaChanged) -> None:
    """Print a quota that was set."""
    for step in result.steps if result.dry_run else ():
        writer.line(f"Would: {step}")
    if not result.dry_run:
        writer.line(
            f"{result.username} can now store {bytes_text(result.after)}; previously {bytes_text(result.before)}."
        )


def write_plans(writer: Writer, plans: tuple[Plan, ...]) -> None:
    """Print a table of plans."""
    rows = [
        (plan.code, plan.type, bytes_text(plan.storage_bytes), "default" if plan.is_default else "") for plan in plans
    ]
    writer.table(("CODE", "FOR", "STORAGE", ""), rows, right=(2,), folded=(0,))
