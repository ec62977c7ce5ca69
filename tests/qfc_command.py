"""`qfc` as an operator calls it: a process with a clean environment and its own folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PASSED_ON = ("PATH", "HOME", "LANG")


def hear_signals() -> None:
    """Reset signals in a new process: background jobs ignore Ctrl-C, `nohup` a hangup, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@dataclass(frozen=True)
class Answer:
    """The result of a call."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The only document on standard output; anything else there is an error."""
        return json.loads(self.out)


class Qfc:
    """Calls `qfc` of a Python with its own QFC_HOME and QFC_CONFIG below `home`, on any free port."""

    def __init__(self, home: Path, program: str = sys.executable) -> None:
        self.home, self.program = home, program
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self.environment = {**kept, "QFC_HOME": str(home), "QFC_CONFIG": str(home / "config.toml"), "QFC_PORT": "0"}

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Answer:
        """Call it and wait for its end."""
        process = self.begin(*arguments, **environment)
        out, err = process.communicate(stdin, timeout=240)
        return Answer(process.returncode, out, err)

    def begin(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Call it and return at once."""
        return subprocess.Popen(
            [self.program, "-m", "qfc", *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_signals,
        )

    def ok(self, *arguments: str, **environment: str) -> Any:
        """Call it with --json, insist on exit code 0, return the document."""
        answer = self("--json", *arguments, **environment)
        assert answer.code == 0, f"{arguments} ended with {answer.code}:\n{answer.out}\n{answer.err}"
        return answer.json

    def pid(self, instance: str, stack: str = "local") -> int:
        """Return the process id of a running instance."""
        status = self("--json", "--stack", stack, "status").json
        instances = {one["id"]: one["pid"] for service in status["services"] for one in service["instances"]}
        return instances[instance]

    def processes(self, stack: str = "local") -> list[psutil.Process]:
        """Return every process of a stack, found without the suite's help."""
        folder = str(self.home / stack)
        return [process for process in psutil.process_iter() if _is_of(process, folder)]

    def kill_everything(self, stack: str = "local") -> None:
        """Kill a stack like a power cut."""
        for process in self.processes(stack):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(self.processes(stack), timeout=10)


def _is_of(process: psutil.Process, folder: str) -> bool:
    with suppress(psutil.Error, OSError):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("QFC_SUPERVISED") == folder or process.cwd() == f"{folder}/db"
    return False


@contextmanager
def fresh_qfc() -> Generator[Qfc]:
    """Yield a `qfc` with empty folders; everything that it started ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="qfc-a-", dir="/tmp"))
    folder.chmod(0o755)
    qfc = Qfc(folder)
    try:
        yield qfc
    finally:
        for stack in [path.name for path in folder.iterdir() if path.is_dir()]:
            qfc.kill_everything(stack)
        shutil.rmtree(folder, ignore_errors=True)
