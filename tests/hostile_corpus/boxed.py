"""The same jobs in the box of the node's workers, with layers of the engine switched off: the box alone must hold."""

from __future__ import annotations

import json
import os
import select
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hostile_corpus.processes import MEMORY, SECONDS, Attempt
from qfc_node.box.layers import NAMES
from qfc_node.box.limits import Limits
from qfc_node.box.work import ANSWER, EXPORT, OUTPUT, SCRATCH, JobInput
from qfc_node.gis import defence
from qfc_node.gis.native import NativeEngine
from qfc_node.gis.port import Delta
from qfc_node.worker.fork_server import ForkServer, ServerSettings, as_input

_TYPES = {"report": "process_projectfile", "package": "package", "apply": "delta_apply"}
_FILE_BYTES = 500_000_000


def __getattr__(name: str) -> Any:
    """Return the engine without the layers in the name, `Without_drivers_schema`: a fork server names it so."""
    if not name.startswith("Without_"):
        raise AttributeError(name)
    os.environ[defence.VARIABLE] = ",".join(name.split("_")[1:])
    return NativeEngine


class BoxedProcesses:
    """Jobs of a fork server. `home`: the folder that has all folders of jobs; `open_box`: the box has no layers."""

    def __init__(self, home: Path, without: Sequence[str] = (), *, open_box: bool = False) -> None:
        engine = f"{__name__}.Without_{'_'.join(without)}"
        before = os.environ.copy()
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
        try:
            self._server = ForkServer(ServerSettings(home, engine, NAMES if open_box else ()), network=False)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def run(self, attempt: Attempt) -> None:
        """Run a job in its box, and copy what it made."""
        folder = attempt.files.parent
        self._prepare(folder)
        deltas = tuple(Delta(content["uuid"], "d", "c", content) for content in attempt.deltas)
        given = as_input(JobInput(_TYPES[attempt.action], attempt.project, deltas, overwrite_conflicts=True).encoded())
        errors = os.open(attempt.out / "errors.log", os.O_WRONLY | os.O_CREAT)
        process = self._server.start_job(folder, Limits(MEMORY, _FILE_BYTES, SECONDS), given, errors)
        os.close(given)
        os.close(errors)
        select.select([process.descriptor], [], [], SECONDS)
        process.kill()
        (attempt.out / "status.json").write_text(json.dumps({"exit": process.exit_code}))
        for name, target in ((ANSWER, "said.json"), (OUTPUT, OUTPUT)):
            if (folder / name).exists():
                shutil.copyfile(folder / name, attempt.out / target)
        shutil.copytree(folder / EXPORT, attempt.out / EXPORT, symlinks=True)

    def close(self) -> None:
        """End the fork server."""
        self._server.end()

    def _prepare(self, folder: Path) -> None:
        for name in (EXPORT, SCRATCH):
            (folder / name).mkdir()
        (folder / OUTPUT).touch()
        account = self._server.ready.account
        if account is not None:
            for path in (folder, *folder.rglob("*")):
                os.lchown(path, account, account)
