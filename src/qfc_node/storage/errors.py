"""What can go wrong with bytes.

StorageError            the store cannot be used now; nobody's mistake, try again later (503)
RejectedError           what was sent is not accepted, and never will be
├── UnsafeNameError     a name that some device or file system cannot hold, or that leaves the project (400)
├── UploadTooLargeError larger than the node accepts (413)
└── ArchiveBombError    an archive that unpacks to far more than it should (400)
"""

from __future__ import annotations

import errno

#: Errors of the machine, not of what it was given. Memory and open files have limits of their own for each process.
_FAULTS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EBUSY, errno.ESTALE, errno.ENFILE, errno.ETIMEDOUT}
)


class StorageError(Exception):
    """The store cannot be used now."""


class RejectedError(Exception):
    """What was sent is not accepted; the message says why and what would be."""


class UnsafeNameError(RejectedError):
    """The name is not one that every device and file system can hold inside the project."""


class UploadTooLargeError(RejectedError):
    """The upload is larger than the node accepts."""


class ArchiveBombError(RejectedError):
    """The archive unpacks to far more than a project file ever does."""


def is_fault_of_the_machine(error: BaseException) -> bool:
    """Whether the same may succeed later, on a machine in good order."""
    return isinstance(error, StorageError) or (isinstance(error, OSError) and error.errno in _FAULTS)
