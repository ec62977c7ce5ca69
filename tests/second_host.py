"""A second host for tests: a network name space with its own address. Needs root and iproute2."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

_NUMBERS = count()
CAN_MAKE = os.geteuid() == 0 and shutil.which("ip") is not None


@dataclass(frozen=True)
class SecondHost:
    """A name space, its address, and our end of the cable to it."""

    name: str
    address: str
    cable: str

    @property
    def inside(self) -> tuple[str, ...]:
        """The words before a command that runs on that host."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Pull out the cable."""
        _ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.cable, "up")


@contextmanager
def second_host() -> Iterator[SecondHost]:
    """Create a host for a block. The addresses are in 198.18.0.0/15, which no network routes (RFC 2544)."""
    which = next(_NUMBERS)
    number = (os.getpid() + 7919 * which) % 16384
    network = f"198.18.{number // 64}.{number % 64 * 4}".rpartition(".")
    ours, theirs = (f"{network[0]}.{int(network[2]) + end}" for end in (1, 2))
    name = f"qfc{os.getpid()}-{which}"
    host = SecondHost(name, theirs, name)
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "cable", "netns", host.name)
        _ip("addr", "add", f"{ours}/30", "dev", host.cable)
        _ip("link", "set", host.cable, "up")
        for words in (["addr", "add", f"{theirs}/30", "dev", "cable"], ["link", "set", "cable", "up"]):
            _ip("-n", host.name, *words)
        _ip("-n", host.name, "link", "set", "lo", "up")
        yield host
    finally:
        subprocess.run(["ip", "link", "del", host.cable], check=False, capture_output=True)
        _ip("netns", "del", host.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
