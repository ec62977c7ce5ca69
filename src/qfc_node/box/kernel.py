"""Calls of the Linux kernel that Python does not offer. All raise OSError."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from typing import Any

CLONE_NEWNS, CLONE_NEWIPC = 0x00020000, 0x08000000
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
#: `pivot_root` has no function in the C library. Its number is 41 on all architectures that are younger than these.
PIVOT_ROOT = {"x86_64": 155, "i686": 217, "armv7l": 218, "s390x": 217, "ppc64le": 203}.get(platform.machine(), 41)
_CAPABILITY_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    """A program of seccomp: the number of its instructions, and where they are."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def syscall(number: int, *arguments: Any) -> int:
    """Call the kernel by number; the architectures agree on the numbers of newer calls."""
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def unshare(flags: int) -> None:
    """Leave namespaces of the parent process for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount something."""
    texts = [text.encode() or None for text in (source, target, kind)]
    _checked(_libc.mount(*texts, ctypes.c_ulong(flags), options.encode() or None))


def detach(target: str) -> None:
    """Unmount with everything below; what is still in use goes when it is not any more."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH))


def pivot_root(new_root: str, old_root: str) -> None:
    """Make `new_root` the root of this namespace, and `old_root`, a folder below it, the place of the old one."""
    syscall(PIVOT_ROOT, new_root.encode(), old_root.encode())


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, even if it dies at this very moment."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(os.EX_SOFTWARE)


def renounce_new_privileges() -> None:
    """No program that this process executes gets more rights than it has: set-uid bits have no effect."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def renounce_capabilities() -> None:
    """Give up all rights of root, for ever."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def filter_calls(program: bytes) -> None:
    """Have the kernel check each further call of this process with a program of seccomp."""
    instructions = _Filter(len(program) // 8, program)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(instructions))


def _prctl(option: int, *arguments: Any) -> None:
    given = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    zeros = [ctypes.c_ulong(0)] * (4 - len(given))
    _checked(_libc.prctl(ctypes.c_int(option), *given, *zeros))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
