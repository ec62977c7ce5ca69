"""Moves the data of a PostgreSQL server to a newer major release: by its own `pg_upgrade`, into a second folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from subprocess import CalledProcessError

from ..errors import CommandError
from .postgres_server import Installation, create_cluster
from .service_account import Account, make_folder, run_as, write_secret

#: How the files in which a folder's password is kept for the programs of an upgrade end.
PASSWORDS = ".pgpass"


def renew_cluster(
    old: Installation,
    new: Installation,
    data: Path,
    renewed: Path,
    *,
    sockets: Path,
    account: Account | None,
    user: str,
    password: str,
    environment: Mapping[str, str],
) -> None:
    """Create `renewed` from `data`, which stays as it is; no server may run on it. Raises CommandError.

    `pg_upgrade` copies all databases, roles and settings, and the statistics of the planner where both releases can.
    """
    shutil.rmtree(renewed, ignore_errors=True)
    create_cluster(new, renewed, account=account, user=user, password=password, environment=environment)
    passwords = renewed.with_name(renewed.name + PASSWORDS)
    make_folder(sockets, account)
    write_secret(passwords, f"*:*:*:{user}:{password}", account)
    argv = [new.program("pg_upgrade"), "--username", user, "--socketdir", str(sockets)]
    argv += ["--old-bindir", str(old.bin), "--new-bindir", str(new.bin)]
    argv += ["--old-datadir", str(data), "--new-datadir", str(renewed)]
    try:
        # It leaves a script there that removes the old folder.
        run_as(account, argv, environment={**environment, "PGPASSFILE": str(passwords)}, folder=renewed)
    except CommandError as error:
        raise CommandError(f"pg_upgrade failed: {_reason(error)}", hint="The old data are as they were.") from error
    finally:
        passwords.unlink(missing_ok=True)


def _reason(error: CommandError) -> str:
    """Return the end of what pg_upgrade says: its last line is always the same."""
    cause = error.__cause__
    said = str(cause.stdout) if isinstance(cause, CalledProcessError) else error.message
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[-4:])
