"""The files outside a job's folder that a job may read, and the few devices that it may use."""

from __future__ import annotations

import sys
from pathlib import Path

#: Shared libraries, and what the C library reads when it needs it.
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime")
_TIME_ZONES = "/usr/share/zoneinfo"
#: Names of hosts, and certificates of servers.
_NETWORK = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates"),
)
#: Devices that anybody may write to; nothing is kept of it.
SINKS = ("/dev/null", "/dev/full")
SOURCES = ("/dev/zero", "/dev/urandom", "/dev/random")


def readable(*, network: bool) -> list[Path]:
    """Return the existing files and folders that every job reads: libraries, Python, and the data of PROJ and GDAL.

    The last are in the packages that Python imports. Files about the network are for jobs that use it.
    """
    names = (*_SYSTEM, _TIME_ZONES, *sys.path, *(_NETWORK if network else ()))
    found = dict.fromkeys(Path(name) for name in names if name)
    return [path for path in found if path.exists()]


def devices() -> list[Path]:
    """Return the existing devices that every job may use."""
    return [Path(name) for name in (*SINKS, *SOURCES) if Path(name).exists()]
