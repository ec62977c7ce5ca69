"""Which errors are faults of the machine: another attempt may succeed once it works again."""

from __future__ import annotations

import errno

#: Errors of the machine, not of the input. Memory and open files are not included: each process has its own limits.
_FAULTS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EBUSY, errno.ESTALE, errno.ENFILE, errno.ETIMEDOUT}
)


def is_machine_error(error: BaseException) -> bool:
    """Whether the operating system reports a fault of the machine."""
    return isinstance(error, OSError) and error.errno in _FAULTS
