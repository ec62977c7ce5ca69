"""A fork server with a job that tries to get out of its box, for tests.

`python box_world.py HOME PLAN WITHOUT NETWORK` does what `probe` does, under another account.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from qfc_node.box.layers import NAMES
from qfc_node.box.limits import Limits
from qfc_node.box.work import ANSWER, EXPORT, FILES, OUTPUT, SCRATCH, JobInput
from qfc_node.gis.port import Log, ProjectReport
from qfc_node.worker.fork_server import ForkServer, ServerSettings, as_input

#: What a probe tells when it succeeded.
DONE = "done"
MEMORY, FILE_BYTES = 1024**3, 5_000_000


class ProbingEngine:
    """Its project file is a list of probes, `[name, argument …]`; the report tells how each one ended."""

    def __init__(self, files_root: Path) -> None:
        self._root = files_root

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Try everything in the list."""
        plan = json.loads(project_file.read_text())
        log(f"{len(plan)} probes")
        return ProjectReport({" ".join(map(str, one)): self._try(*one) for one in plan}, b"")

    def _try(self, name: str, *arguments: Any) -> Any:
        action: Callable[..., Any] = getattr(self, name)
        try:
            told = action(*arguments)
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, str(error))
        except MemoryError:
            return "ENOMEM"
        return DONE if told is None else told

    def read(self, path: str) -> None:
        """Read a file."""
        Path(path).read_bytes()

    def write(self, path: str) -> None:
        """Write a file."""
        Path(path).write_bytes(b"x")

    def link(self, path: str) -> None:
        """Make a symbolic link to a file, where the worker will look for results."""
        (self._root / "link").symlink_to(path)

    def kill(self, pid: int) -> None:
        """Ask whether a process could be signalled."""
        os.kill(pid or os.getppid(), 0)

    def fork(self) -> None:
        """Start a process."""
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    def execute(self) -> None:
        """Start another program, in the place of this one."""
        os.execv("/bin/true", ["true"])

    def connect(self, host: str, port: int) -> None:
        """Connect over TCP."""
        socket.create_connection((host, port), 5).close()

    def wait_for_connections(self) -> None:
        """Let others connect, at a port that the kernel chooses."""
        with socket.socket() as end:
            end.listen()

    def unix(self, path: str) -> None:
        """Connect to a local socket."""
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(path)

    def grow(self, size: int) -> None:
        """Take memory."""
        bytearray(size)

    def fill(self, size: int) -> None:
        """Write a large file."""
        (self._root / "large").write_bytes(bytes(size))

    def open_many(self, count: int) -> None:
        """Open files."""
        with ExitStack() as stack:
            for _ in range(count):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))

    def identity(self) -> list[int]:
        """Tell the account and groups."""
        return [os.geteuid(), os.getegid(), *os.getgroups()]

    def status(self, field: str) -> str:
        """Tell a line of what the kernel says about this process."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))

    def environment(self) -> dict[str, str]:
        """Tell the environment."""
        return dict(os.environ)

    def descriptors(self) -> list[str]:
        """Tell what is open."""
        found: list[str] = []
        for number in range(256):
            try:
                found.append(str(Path(f"/proc/self/fd/{number}").readlink()))
            except OSError:
                continue
        return found


def probe(home: Path, plan: list[list[Any]], without: Collection[str] = (), *, network: bool = False) -> dict[str, Any]:
    """Try a plan in a box of its own; return what each probe told, and `layers`."""
    settings = ServerSettings(home, f"{__name__ if __name__ != '__main__' else 'box_world'}.ProbingEngine", without)
    server = ForkServer(settings, network=network)
    try:
        ready = server.ready
        folder = make_folder(home / "job", plan, ready.account)
        code = run(server, folder)
        answer = folder / ANSWER
        assert answer.exists(), (code, (folder / "errors.log").read_text())
        told = json.loads(answer.read_text())
        assert told["kind"] == "done", told
        return {**told["details"], "layers": {layer["name"]: layer["state"] for layer in ready.layers}}
    finally:
        server.end()


def make_folder(folder: Path, plan: list[list[Any]], account: int | None) -> Path:
    """Make the folder of a job, as the worker does."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in (FILES, EXPORT, SCRATCH):
        (folder / name).mkdir(parents=True)
    (folder / FILES / "project.qgs").write_text(json.dumps(plan))
    (folder / OUTPUT).touch()
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account, account)
    return folder


def run(server: ForkServer, folder: Path) -> int | None:
    """Run the job in the folder; return how its process ended."""
    given = as_input(JobInput("process_projectfile", "project.qgs").encoded())
    errors = os.open(folder / "errors.log", os.O_WRONLY | os.O_CREAT)
    process = server.start_job(folder, Limits(MEMORY, FILE_BYTES, 60), given, errors)
    os.close(given)
    os.close(errors)
    select.select([process.descriptor], [], [], 60)
    process.kill()
    return process.exit_code


def others(*kept: str) -> list[str]:
    """Return all layers but these."""
    return [name for name in NAMES if name not in kept]


def main() -> None:
    """Probe as the arguments say; print what was told, as JSON."""
    signal.alarm(120)
    home, plan, without, network = sys.argv[1:]
    print(json.dumps(probe(Path(home), json.loads(plan), json.loads(without), network=json.loads(network))))


if __name__ == "__main__":
    main()
