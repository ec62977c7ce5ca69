"""An account without rights for jobs, where root starts them: a number that belongs to nobody."""

from __future__ import annotations

import os
from pathlib import Path

#: Above the numbers that systemd and containers give out. Each server adds its process id, which is below 2^22.
_FIRST = 0x70000000
#: `nobody`, where a container has no higher numbers.
_NOBODY = 65534
_CHOWN, _SETGID, _SETUID = 0, 6, 7


def free_account() -> int:
    """Return the number of an account that nobody has. Raises OSError where this process cannot take one on."""
    if os.geteuid() != 0:
        raise PermissionError("only root can start jobs under another account")
    if not all(_rights() >> right & 1 for right in (_CHOWN, _SETGID, _SETUID)):
        raise PermissionError("root lacks the right to change accounts here")
    for number in (_FIRST + os.getpid(), _NOBODY):
        if _exists(number, "uid_map") and _exists(number, "gid_map"):
            return number
    raise PermissionError("this container has no number for another account")


def take_on(account: int) -> None:
    """Become that account, for ever. Raises OSError."""
    os.setgroups([])
    os.setresgid(account, account, account)
    os.setresuid(account, account, account)


def _rights() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)


def _exists(number: int, table: str) -> bool:
    rows = (list(map(int, line.split())) for line in Path("/proc/self", table).read_text("ascii").splitlines())
    return any(first <= number < first + count for first, _, count in rows)
