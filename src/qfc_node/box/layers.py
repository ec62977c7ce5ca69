"""The layers of the box: which this machine has, how the server builds them, how a child enters them.

A layer that the machine lacks is left out and reported, with the reason. A layer that it has and that cannot be entered
ends the job: nothing runs outside the box by accident.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from . import account, kernel, landlock, namespaces, places, seccomp
from .limits import Limits, set_limits

ACCOUNT, PRIVILEGES, MOUNTS, LANDLOCK = "account", "privileges", "mounts", "landlock"
NETWORK, SECCOMP, LIMITS = "network", "seccomp", "limits"
#: Every layer, in the order of reports.
NAMES = (ACCOUNT, PRIVILEGES, MOUNTS, LANDLOCK, NETWORK, SECCOMP, LIMITS)

State = Literal["used", "missing", "off"]


@dataclass(frozen=True)
class Layer:
    """A layer as this machine has it; `detail` says why it is missing, or more about it."""

    name: str
    state: State
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the layer as a report stores it."""
        return asdict(self)


class Box:
    """The layers of one server's children. `home`: the folder with the folders of their jobs."""

    def __init__(self, home: Path, without: Collection[str], *, network: bool) -> None:
        self._home = home
        self._without = without
        self._network = network
        self._read = places.readable(network=network)
        self._devices = places.devices()
        self._filter = b""
        self._found: dict[str, Layer] = {}
        #: The account of the children, if they get one of their own.
        self.account: int | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return every layer. A job that uses databases elsewhere has no layer against the network."""
        return tuple(self._found[name] for name in NAMES)

    def build(self) -> None:
        """Find the layers of this machine, and put this process into those that all children share. Raises OSError."""
        for name in (PRIVILEGES, LIMITS):
            self._find(name, lambda: "")
        self._find(LANDLOCK, lambda: f"version {landlock.version()}")
        self._find(SECCOMP, self._build_filter)
        self._find(ACCOUNT, self._find_account)
        self._find(MOUNTS, lambda: self._try_namespaces(mounts=True))
        self._find(NETWORK, lambda: self._try_namespaces(network=True))
        self._replace_network()
        self._enter_namespaces(mounts=self._has(MOUNTS), network=self._is_cut_off)
        self._check_account()

    def enter(self, folder: Path, limits: Limits) -> None:
        """Put this process, a child, into the box, before it reads anything. Raises OSError."""
        if self.account is not None:
            account.take_on(self.account)
        if self._has(LIMITS):
            set_limits(limits)
        if self._has(PRIVILEGES):
            kernel.renounce_new_privileges()
            kernel.renounce_capabilities()
        if self._has(LANDLOCK):
            self._lock(folder)
        if self._has(SECCOMP):
            kernel.renounce_new_privileges()
            kernel.filter_calls(seccomp.build_filter_of_signals(os.getpid()))
            kernel.filter_calls(self._filter)

    def _lock(self, folder: Path) -> None:
        sinks = [path for path in self._devices if str(path) in places.SINKS]
        sources = [path for path in self._devices if path not in sinks]
        landlock.restrict([folder], [*self._read, *sources], sinks, network=self._network)

    def _find(self, name: str, look: Callable[[], str]) -> None:
        """Note whether the machine has a layer; `look` returns a detail, or raises OSError."""
        if name in self._without:
            self._found[name] = Layer(name, "off", "QFC_NODE_BOX_WITHOUT names it")
            return
        try:
            self._found[name] = Layer(name, "used", look())
        except OSError as error:
            self._found[name] = Layer(name, "missing", error.strerror or str(error))

    def _has(self, name: str) -> bool:
        return self._found[name].state == "used"

    @property
    def _is_cut_off(self) -> bool:
        return self._has(NETWORK) and not self._network and not self._found[NETWORK].detail

    def _replace_network(self) -> None:
        """Where no namespace is allowed, Landlock and seccomp keep jobs from the network."""
        parts = [name for name in (LANDLOCK, SECCOMP) if self._has(name)]
        if self._found[NETWORK].state == "missing" and parts:
            reason = f"by {' and '.join(parts)}; a namespace: {self._found[NETWORK].detail}"
            self._found[NETWORK] = replace(self._found[NETWORK], state="used", detail=reason)

    def _build_filter(self) -> str:
        self._filter = seccomp.build_filter(network=self._network)
        return ""

    def _try_namespaces(self, *, mounts: bool = False, network: bool = False) -> str:
        """Try it in a process of its own, since nothing of it can be taken back."""
        _try(lambda: self._enter_namespaces(mounts=mounts, network=network))
        return ""

    def _enter_namespaces(self, *, mounts: bool, network: bool) -> None:
        namespaces.enter(mounts=mounts, network=network, changed=[self._home], read=self._read, used=self._devices)

    def _find_account(self) -> str:
        self.account = account.free_account()
        return f"number {self.account}"

    def _check_account(self) -> None:
        """Leave the account out where it cannot read what jobs need: Python may be installed where only root can."""
        number = self.account
        if number is None:
            return
        try:
            _try(lambda: _check_access(number, self._home, self._read))
        except OSError as error:
            self.account = None
            self._found[ACCOUNT] = Layer(ACCOUNT, "missing", error.strerror or str(error))


def _check_access(number: int, home: Path, read: Sequence[Path]) -> None:
    account.take_on(number)
    if not os.access(home, os.X_OK):
        raise PermissionError(1, f"other accounts cannot enter {home}")
    for path in read:
        if not os.access(path, os.R_OK):
            raise PermissionError(1, f"other accounts cannot read {path}")


def _try(action: Callable[[], None]) -> None:
    """Do something in a process of its own. Raises the OSError of its end."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _end_with(action, writer)
    os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as answer:  # noqa: PTH123  (a descriptor)
        problem = answer.read()
    os.waitpid(pid, 0)
    if problem:
        raise OSError(1, problem)


def _end_with(action: Callable[[], None], writer: int) -> None:
    text = "the attempt ended without an answer"
    try:
        action()
        text = ""
    except OSError as error:
        text = error.strerror or str(error)
    finally:
        os.write(writer, text.encode())
        os._exit(0)
