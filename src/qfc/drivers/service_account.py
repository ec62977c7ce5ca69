"""The system account of a service of ours, and its access to files.

PostgreSQL refuses to run as root. A service under another account needs folders that it can search and own.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import CommandError, ConfigError, QfcError

#: The account that is created for PostgreSQL when root starts a stack.
ACCOUNT = "qfc-db"


@dataclass(frozen=True)
class Account:
    """The system account that PostgreSQL runs under."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the account for PostgreSQL: None means the user who runs qfc, which is not root.

    For root: the account `qfc-db`, created if possible, else `nobody`. Raises QfcError without either.
    """
    if os.geteuid() != 0:
        return None
    account = _account(ACCOUNT) or _create_account() or _account("nobody")
    if account is None:
        raise QfcError(
            "PostgreSQL refuses to run as root, and no other account exists for it.",
            hint="Type: useradd --system qfc-db",
        )
    return account


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_account() -> Account | None:
    argv = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(argv, capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _account(ACCOUNT)


def blocked_at(path: Path, account: Account) -> Path | None:
    """Return the first folder on the way to `path`, or the path itself, that the account cannot search; else None."""
    for part in [*reversed(path.resolve().parents), path.resolve()]:
        if part.exists() and not _may_pass(part, account):
            return part
    return None


def _may_pass(path: Path, account: Account) -> bool:
    entry = path.stat()
    if entry.st_uid == account.uid:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == account.gid:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def require_path(path: Path, account: Account | None) -> None:
    """Check that the account can reach a path. Raises ConfigError with the chmod to type."""
    blocked = blocked_at(path, account) if account else None
    if blocked is not None and account is not None:
        raise unreadable(blocked, account)


def unreadable(folder: Path, account: Account) -> ConfigError:
    """Return the error for a folder that the account cannot search."""
    return ConfigError(
        [f"PostgreSQL runs as the account {account.name}, which has no access to {folder}."],
        hint=f"Type: chmod o+x {folder}   (or set QFC_HOME to another folder)",
    )


def run_as(
    account: Account | None, argv: Sequence[str], *, environment: Mapping[str, str], folder: Path = Path("/")
) -> None:
    """Run a program of PostgreSQL and wait for its end. Raises CommandError with its last line of output."""
    try:
        subprocess.run(
            argv,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **environment},
            capture_output=True,
            check=True,
            text=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        raise CommandError(f"{argv[0]} cannot be started.") from error
    except subprocess.CalledProcessError as error:
        said = (str(error.stderr).strip() or str(error.stdout).strip() or "no output").splitlines()
        raise CommandError(
            f"{Path(argv[0]).name} failed: {said[-1]}", hint="Check free space and permissions."
        ) from error


def start_as(account: Account | None, argv: Sequence[str], *, log: BinaryIO) -> subprocess.Popen[bytes]:
    """Start a program in the background, with its output in a file."""
    return subprocess.Popen(
        argv,
        cwd="/",
        stdout=log,
        stderr=log,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def make_folder(folder: Path, account: Account | None, *, mode: int = 0o700) -> None:
    """Create a folder that belongs to the account, which must be able to reach it."""
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    folder.chmod(mode)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
        require_path(folder, account)


def write_secret(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only its owner, the account, can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    if account is not None:
        os.chown(path, account.uid, account.gid)
