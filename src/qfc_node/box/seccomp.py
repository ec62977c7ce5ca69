"""seccomp: the kernel refuses calls that no job needs. libseccomp knows their numbers on every architecture."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable
from functools import cache
from typing import Any

_LIBRARY = "libseccomp.so.2"
_ALLOW = 0x7FFF0000
_CLONE_THREAD = 0x00010000
_NOT_EQUAL, _EQUAL, _GREATER, _MASKED_EQUAL = 1, 4, 6, 7
#: Start other programs, look into other processes, change what the machine is or shows.
_REFUSED = (
    *("execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise"),
    *("pidfd_getfd", "pidfd_open", "kcmp", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot"),
    *("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load"),
    *("kexec_file_load", "reboot", "acct", "quotactl", "syslog", "sethostname", "setdomainname", "iopl", "ioperm"),
    *("settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "personality", "name_to_handle_at"),
    *("open_by_handle_at", "fanotify_init", "lookup_dcookie", "vhangup", "nfsservctl", "uselib", "modify_ldt"),
    *("mknod", "mknodat", "symlink", "symlinkat", "setpriority", "sched_setscheduler", "sched_setattr"),
)
#: Signals to a process whose id is the first argument.
_SIGNALS = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
#: Wait for connections. Landlock refuses a port of one's own, but not the one that the kernel chooses.
_WAITING = ("listen", "accept", "accept4")
#: Families of sockets: for databases elsewhere, and for the addresses of this machine, which the C library asks for.
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)


class _Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def build_filter(*, network: bool) -> bytes:
    """Return the program for `kernel.filter_calls`. Raises OSError without the library."""

    def add(library: Any, rules: Any) -> None:
        for name in _REFUSED:
            _refuse(library, rules, name)
        _refuse(library, rules, "clone", _Comparison(0, _MASKED_EQUAL, _CLONE_THREAD, 0))
        # Its arguments are in memory, where no filter can see them; the C library then uses `clone`.
        _refuse(library, rules, "clone3", error=errno.ENOSYS)
        _refuse_sockets(library, rules, network)

    return _built(add)


def build_filter_of_signals(own: int) -> bytes:
    """Return a second program: the process with the id `own` may signal itself alone. Raises OSError."""

    def add(library: Any, rules: Any) -> None:
        for name in _SIGNALS:
            _refuse(library, rules, name, _Comparison(0, _NOT_EQUAL, own, 0))
        _refuse(library, rules, "tkill")
        _refuse(library, rules, "pidfd_send_signal")

    return _built(add)


def _built(add: Callable[[Any, Any], None]) -> bytes:
    library = _library()
    rules = library.seccomp_init(_ALLOW)
    try:
        add(library, rules)
        return _exported(library, rules)
    finally:
        library.seccomp_release(rules)


@cache
def _library() -> Any:
    library = ctypes.CDLL(_LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    add = library.seccomp_rule_add_array
    add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison)]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def _refuse_sockets(library: Any, rules: Any, network: bool) -> None:
    if not network:
        _refuse(library, rules, "socket", error=errno.EACCES)
        return
    for name in _WAITING:
        _refuse(library, rules, name, error=errno.EACCES)
    last = max(_FAMILIES)
    for family in set(range(last)) - set(_FAMILIES):
        _refuse(library, rules, "socket", _Comparison(0, _EQUAL, family, 0), error=errno.EACCES)
    _refuse(library, rules, "socket", _Comparison(0, _GREATER, last, 0), error=errno.EACCES)


def _refuse(library: Any, rules: Any, name: str, *conditions: _Comparison, error: int = errno.EPERM) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == -1:
        return  # an older library does not know the call
    listed = (_Comparison * len(conditions))(*conditions)
    result = library.seccomp_rule_add_array(rules, 0x00050000 | error, number, len(conditions), listed)
    if result < 0:
        raise OSError(-result, f"seccomp does not accept a rule about {name}: {os.strerror(-result)}")


def _exported(library: Any, rules: Any) -> bytes:
    file = os.memfd_create("filter")
    try:
        result = library.seccomp_export_bpf(rules, file)
        if result < 0:
            raise OSError(-result, f"seccomp cannot build the filter: {os.strerror(-result)}")
        return os.pread(file, os.fstat(file).st_size, 0)
    finally:
        os.close(file)
