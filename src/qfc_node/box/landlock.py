"""Landlock: the kernel refuses this process every file that is not listed.

https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from . import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REGULAR = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE = 1 << 13, 1 << 14
#: Number of rights over files that a version of Landlock knows.
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
_RIGHTS_NOW = 16
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15
_BIND_TCP, _CONNECT_TCP = 1, 2
#: Abstract Unix sockets, and signals to processes outside.
_SCOPES = 3
READ = READ_FILE | READ_DIR
#: No links to elsewhere, no sockets, pipes or devices: whoever reads the folder afterwards finds files and folders.
CHANGE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REGULAR | REFER | TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """Return the version of Landlock in this kernel. Raises OSError without one."""
    return kernel.syscall(CREATE_RULESET, None, 0, _ASK_VERSION)


def restrict(changed: Iterable[Path], read: Iterable[Path], written: Iterable[Path], *, network: bool) -> None:
    """Leave this process the folders `changed`, and of other files what it may read or write. Raises OSError.

    Without `network` it cannot use TCP; with it, it cannot wait for connections. It can signal nobody outside.
    """
    known = version()
    handled = (1 << _RIGHTS_OF_VERSION.get(known, _RIGHTS_NOW)) - 1
    rules = _create(known, handled, network)
    try:
        for path in changed:
            _allow(rules, path, CHANGE & handled)
        for path in read:
            _allow(rules, path, READ)
        for path in written:
            _allow(rules, path, READ_FILE | WRITE_FILE)
        kernel.renounce_new_privileges()
        kernel.syscall(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _create(known: int, handled: int, network: bool) -> int:
    ports = _BIND_TCP if network else _BIND_TCP | _CONNECT_TCP
    rules = _Ruleset(handled, ports if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    return kernel.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)


def _allow(rules: int, path: Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rule = _PathBeneath(rights if is_folder else rights & _OF_FILES, place)
        kernel.syscall(ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
