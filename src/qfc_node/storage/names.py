"""Check names of project files: Windows, Android, iOS and Linux must all be able to store them."""

from __future__ import annotations

import unicodedata

from .errors import UnsafeNameError

FORBIDDEN = frozenset('<>:"|?*\\')
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³")}
)
#: Limit of one part of a path on ext4, APFS and NTFS.
MAX_SEGMENT_BYTES = 255
#: Limit of a whole name: with a job's folder before it, it must fit into a path, and into an index of PostgreSQL.
MAX_NAME_BYTES = 1000


def check_name(name: str) -> None:
    """Check a relative POSIX path. Raises UnsafeNameError; its message says what is wrong."""
    if not name:
        raise UnsafeNameError("The file has no name.")
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise UnsafeNameError(f"The name is longer than {MAX_NAME_BYTES} bytes.")
    if name.startswith("/"):
        raise UnsafeNameError("The name must be relative to the project: it must not begin with '/'.")
    for segment in name.split("/"):
        _check_segment(segment)


def _check_segment(segment: str) -> None:
    problem = _problem(segment)
    if problem:
        raise UnsafeNameError(f"The part {segment[:60]!r} of the name {problem}.")


def _problem(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "is not a name"
    bad = sorted(FORBIDDEN.intersection(segment))
    if bad:
        return f"contains the character {bad[0]!r}, which some devices cannot store"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in segment):
        return "contains a control character"
    if segment[-1] in ". ":
        return "ends with a dot or a space"
    if segment.partition(".")[0].rstrip(" ").upper() in RESERVED:
        return "is reserved on Windows"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"is longer than {MAX_SEGMENT_BYTES} bytes"
    return None
