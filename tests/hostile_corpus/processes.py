"""Run the engine on hostile projects, each in a process of its own, and collect all that comes out of it.

`PlainProcesses` forks them from one process that has the engine loaded. Whatever else runs jobs (with more layers of
defence) takes its place by the same two methods.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from PIL import Image

from hostile_corpus.canaries import GREY, WORD
from qfc_node.gis import defence
from qfc_node.gis.database_rules import DatabaseRules
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import Delta

MEMORY, SECONDS = 3 * 2**30, 60
#: A picture shows a canary if this many of its pixels have its grey.
_PIXELS = 200


@dataclass(frozen=True)
class Attempt:
    """A job on a project: `report`, `package` or `apply`."""

    action: str
    files: Path
    project: str
    out: Path
    deltas: Sequence[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    databases: str = ""


class Processes(Protocol):
    """Where jobs run."""

    def run(self, attempt: Attempt) -> None:
        """Run a job; all that it says and makes is in the folder `out` afterwards."""
        ...

    def close(self) -> None:
        """End."""
        ...


class PlainProcesses:
    """Forks of a process in which the layers `without` are off."""

    def __init__(self, without: Sequence[str] = ()) -> None:
        environment = {**os.environ, defence.VARIABLE: ",".join(without), "PYTHONPATH": str(Path(__file__).parents[1])}
        argv = [sys.executable, "-m", "hostile_corpus.processes"]
        self._process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, attempt: Attempt) -> None:
        """Run a job in a fork."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(vars(attempt), default=str) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._process.stdout.readline())
        (attempt.out / "status.json").write_text(json.dumps(status))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=SECONDS)
        self._process.stdout.close()


def findings(out: Path) -> list[str]:
    """Return where a canary shows in what came out of a job."""
    found: list[str] = []
    for path in sorted(out.rglob("*")):
        if path.is_file():
            name = path.relative_to(out).as_posix()
            found += _in_bytes(name, path.read_bytes())
            found += [f"{name}: grey"] if path.name == "thumbnail.png" and _shows_grey(path) else []
    return found


def said(out: Path) -> str:
    """Return the text that came out of a job: log, error, details, outcomes."""
    path = out / "said.json"
    return path.read_text() if path.exists() else ""


def _in_bytes(name: str, content: bytes) -> list[str]:
    found = [name] if WORD.encode() in content or WORD.encode("utf-16-le") in content else []
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                found += _in_bytes(f"{name}!{member}", archive.read(member))
    return found


def _shows_grey(path: Path) -> bool:
    with Image.open(path) as picture:
        pixels = picture.convert("RGB").tobytes()
    near = range(GREY - 1, GREY + 2)
    return sum(all(value in near for value in pixels[i : i + 3]) for i in range(0, len(pixels), 3)) > _PIXELS


def _main() -> None:
    from qfc_node.gis.gdal import library

    library()
    for line in sys.stdin:
        attempt = json.loads(line)
        print(json.dumps(_forked(attempt)), flush=True)


def _forked(attempt: dict[str, Any]) -> dict[str, Any]:
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            _job(attempt)
        finally:
            os._exit(0)
    _, status, used = os.wait4(pid, 0)
    return {
        "exit": os.waitstatus_to_exitcode(status),
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_bytes": used.ru_maxrss * 1024,
    }


def _job(attempt: dict[str, Any]) -> None:
    out, spoken = Path(attempt["out"]), {"log": [], "error": "", "crash": "", "details": None, "outcomes": []}
    try:
        _act(attempt, out, spoken)
    except Exception as error:
        spoken["error"] = f"{type(error).__name__}: {error}"
        is_expected = any(kind.__name__ == "GisError" for kind in type(error).__mro__)
        spoken["crash"] = "" if is_expected else "".join(traceback.format_exception(error))
    (out / "said.json").write_text(json.dumps(spoken, default=str))


def _act(attempt: dict[str, Any], out: Path, spoken: dict[str, Any]) -> None:
    files = Path(attempt["files"])
    engine = NativeEngine(files, databases=DatabaseRules.from_text(attempt["databases"]))
    project, log = files / attempt["project"], spoken["log"].append
    if attempt["action"] == "report":
        report = engine.report(project, log)
        spoken["details"] = report.details
        (out / "thumbnail.png").write_bytes(report.thumbnail_png)
    elif attempt["action"] == "package":
        (out / "export").mkdir()
        made = engine.package(project, out / "export", log)
        spoken["details"] = [made.layers_before, made.layers_after, list(made.notes)]
        for file in made.files:
            target = out / "package" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, target)
    else:
        deltas = [Delta(content["uuid"], "d", "c", content) for content in attempt["deltas"]]
        applied = engine.apply(project, deltas, overwrite_conflicts=True, known_pks={}, log=log)
        spoken["outcomes"] = [[outcome.status, outcome.feedback] for outcome in applied.outcomes]


if __name__ == "__main__":
    _main()
