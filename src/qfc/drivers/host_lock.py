"""The lock of a deployment, held on its host by a process that lives as long as the operator's.

Several operators use a server from their own machines, so a file with a process id proves nothing. Here `flock` holds
the lock, in a shell whose input comes from the operator's `qfc`: when that or its connection ends, for whatever reason,
the input ends, then the shell, and the lock is free. A file next to it names the last holder.

A killed operation may leave commands that still run. They carry a mark in their environment; the next holder of the
lock ends them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import PurePosixPath

from ..errors import LockHeldError, QfcError
from ..files import HALF, half_of
from ..stack.model import Holder
from ..stack.ports import Clock, Lock, Machine, Process
from . import holders
from .replacing import REPLACE

#: Name of the variable that marks the commands of an operation.
MARK = "QFC_OPERATION_ON"
#: Next to the deployment: lock, audit log and records of deployments. Only its owner has access.
FOLDER = ".qfc"
#: The lock that operators take.
OPERATORS = "lock"
_TAKE = f"""{REPLACE}
folder=$1 document=$2 mark=$3 half=$4 name=$5
umask 077
mkdir -p "$folder" && {{ [ -e "$folder/.gitignore" ] || echo '*' >"$folder/.gitignore"; }} || exit 73
exec 9>>"$folder/$name.mutex" || exit 73
if ! flock -n 9; then
    echo held
    cat "$folder/$name.json" 2>/dev/null
    exit 0
fi
left=''
if [ "$name" = {OPERATORS} ] && [ -e "$folder/$name.json" ]; then
    left=$(grep -lF -- "$mark" /proc/[0-9]*/environ 2>/dev/null | sed 's|/proc/||; s|/environ||')
    for pid in $left; do kill -TERM "$pid" 2>/dev/null; done
    waited=0
    for pid in $left; do
        while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 20 ]; do sleep 1; waited=$((waited + 1)); done
        kill -KILL "$pid" 2>/dev/null
    done
    rm -f "$folder"/{HALF}*
fi
# A full disk still has room for an empty file: it shows that the lock is held, but not by whom.
replace "$folder/$name.json" "$half" 600 '' printf '%s' "$document" 2>/dev/null || : >"$folder/$name.json" || exit 73
echo taken $left
# The input also ends when the holder of the lock is killed: then the file stays, and the next holder looks for the
# commands that it left.
said=$(cat)
[ "$said" != released ] || rm -f "$folder/$name.json"
"""
_LOOK = """
[ -e "$1/$2.mutex" ] || exit 0
exec 9>>"$1/$2.mutex" || exit 0
flock -n 9 || cat "$1/$2.json" 2>/dev/null
"""


class HostLock(Lock):
    """Lets one operator at a time change the deployment in `folder` of its host.

    Under another `name`, it lets one monitor act for it. No command carries the mark of that.
    """

    def __init__(self, machine: Machine, folder: PurePosixPath, clock: Clock, *, name: str = OPERATORS) -> None:
        self._machine, self._clock, self._name = machine, clock, name
        self._folder = folder / FOLDER
        self._mark = mark_of(folder) if name == OPERATORS else {f"{MARK}_{name.upper()}": f"{folder}:"}
        self._held = ExitStack()
        self._process: Process | None = None
        self._last: Holder | None = None

    def identity(self) -> str:
        return holders.identity()

    def take(self, reason: str) -> Holder:
        own = holders.ourselves(reason, self._clock.now())
        mark = "=".join(next(iter(self._mark.items())))
        half = str(half_of(self._folder / f"{self._name}.json"))
        argv = ["sh", "-c", _TAKE, "sh", str(self._folder), holders.as_document(own), mark, half, self._name]
        process = self._held.enter_context(self._machine.start(argv))
        answer = process.stdout.readline().decode().split()
        if answer[:1] == ["taken"]:
            self._process, self._last = process, own
            return own
        holder = _holder(process.stdout.read()) if answer == ["held"] else None
        self._held.close()
        if holder is not None and self._name != OPERATORS and holder == self._last:
            # This lock's own shell, at the end of a lost connection: until the host notices, nobody else can take it.
            return holder
        if answer == ["held"]:
            raise _held(holder, self._folder)
        raise QfcError(
            f"{self._folder} on {self._machine.name} cannot be written.",
            hint="Run qfc as the account that owns the deployment; the host needs flock (package util-linux).",
        )

    def is_ours(self) -> bool:
        """Return whether the shell on the host that holds the lock still runs, as far as this end of it can see."""
        return self._process is not None and self._process.is_running

    def release(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(QfcError, OSError):
                process.stdin.write(b"released")
                process.stdin.flush()
            with suppress(QfcError):
                process.finish(check=False)
        self._held.close()

    def holder(self) -> Holder | None:
        printed = self._machine.run(["sh", "-c", _LOOK, "sh", str(self._folder), self._name], timeout_s=60).stdout
        return _holder(printed.encode()) if printed.strip() else None


def mark_of(folder: PurePosixPath) -> Mapping[str, str]:
    """Return the mark in the environment of commands that change a deployment.

    The character at its end distinguishes folders if the name of one begins with that of another.
    """
    return {MARK: f"{folder}:"}


def _holder(document: bytes) -> Holder | None:
    with suppress(ValueError):
        return holders.from_document(document)
    return None


def _held(holder: Holder | None, folder: PurePosixPath) -> LockHeldError:
    if holder is not None:
        return holders.held(holder)
    return LockHeldError(f"Another operator is changing the deployment in {folder.parent}.", hint=holders.LATER)
