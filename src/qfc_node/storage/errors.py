"""The errors of storing bytes.

StorageError            the store cannot be used now; the client may try again later (503)
└── NoRoomError         the disk has no room for an answer now
RejectedError           the input is not accepted, and never will be
├── UnsafeNameError     a name that some device or file system cannot store, or that leaves the project (400)
├── UploadTooLargeError larger than the node accepts (413)
└── ArchiveBombError    an archive that unpacks to far more than it should (400)
"""

from __future__ import annotations

from ..faults import is_machine_error


class StorageError(Exception):
    """The store cannot be used now."""


class NoRoomError(StorageError):
    """The disk has no room for an answer now."""


class RejectedError(Exception):
    """The input is not accepted; the message says why and what is allowed."""


class UnsafeNameError(RejectedError):
    """Not every device and file system can store this name inside the project."""


class UploadTooLargeError(RejectedError):
    """The upload is larger than the node accepts."""


class InvalidProjectFileError(RejectedError):
    """The file is not a QGIS project."""


class ArchiveBombError(RejectedError):
    """The archive unpacks to far more than any project file does."""


def is_fault_of_the_machine(error: BaseException) -> bool:
    """Whether another attempt may succeed once the machine works again."""
    return isinstance(error, StorageError) or is_machine_error(error)
