"""GIS engines that misbehave, to test how the worker handles it. They do real work on real files."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from qfc_node.gis import elsewhere
from qfc_node.gis.port import (
    ApplyReport,
    Delta,
    DeltaOutcome,
    Feedback,
    GisError,
    InvalidProjectFileError,
    Log,
    PackagedFile,
    PackageReport,
    PkMap,
    ProjectReport,
)


class JournalEngine:
    """A project is a folder with `journal.txt`; applying a delta appends its id. `project.qgs` says how to misbehave.

    The project file is JSON, within `<qgis>…</qgis>` where it is uploaded:
    `{"misbehave": "segfault|hang|hog|raise|enospc|invalid", "seconds": …}`.
    """

    def __init__(self, files_root: Path) -> None:
        self._files_root = files_root
        self._odd: Feedback = {}
        self._strange_id = ""
        self._is_silent = False
        self._name = "journal.txt"
        self._times = {path: path.stat().st_mtime_ns for path in files_root.glob("*.txt")}

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Report the journal's length."""
        self._misbehave(project_file, log)
        return ProjectReport({"lines": len(_journal(project_file).read_text().splitlines())}, b"\x89PNG thumbnail")

    def package(self, project_file: Path, export_dir: Path, log: Log) -> PackageReport:
        """Package the journal and a file of our own."""
        self._misbehave(project_file, log)
        made = export_dir / "data.gpkg"
        made.write_bytes(_journal(project_file).read_bytes()[::-1])
        files = (PackagedFile(self._name, _journal(project_file)), PackagedFile("data.gpkg", made))
        return PackageReport(files, {"journal": {"name": "journal"}}, {"journal": {"name": "journal"}}, ("noted",))

    def apply(
        self,
        project_file: Path,
        deltas: Sequence[Delta],
        *,
        overwrite_conflicts: bool,
        known_pks: PkMap,
        log: Log,
    ) -> ApplyReport:
        """Append the ids of the deltas."""
        del overwrite_conflicts, known_pks
        with _journal(project_file).open("a") as journal:
            for delta in deltas:
                journal.write(f"{delta.id}\n")
                journal.flush()
        self._misbehave(project_file, log)
        feedback = {"msg": "ok", **self._odd}
        outcomes = tuple(DeltaOutcome(self._strange_id or delta.id, "applied", feedback, "1") for delta in deltas)
        changed = frozenset({"journal.txt"}) if deltas else frozenset[str]()
        return ApplyReport(() if self._is_silent else outcomes, changed)

    def _misbehave(self, project_file: Path, log: Log) -> None:
        wish = json.loads(project_file.read_text().removeprefix("<qgis>").removesuffix("</qgis>"))
        log(f"misbehaving: {wish}")
        time.sleep(wish.get("seconds", 0))
        action = getattr(self, f"_{wish.get('misbehave', 'nothing')}")
        action()

    def _nothing(self) -> None:
        pass

    def _segfault(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def _killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _tell_environment(self) -> None:
        elsewhere.require()
        service = Path(os.environ["PGSERVICEFILE"])
        seen = {name: os.environ.get(name) for name in ("PGPASSWORD", "LD_PRELOAD", "GDAL_DRIVER_PATH")}
        raise GisError(json.dumps({**seen, "service": service.read_text(), "mode": oct(service.stat().st_mode)}))

    def _hang(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)

    def _hog(self) -> None:
        hoard: list[bytearray] = []
        while True:
            hoard.append(bytearray(64 * 1024 * 1024))

    def _raise(self) -> None:
        raise ValueError("the engine stumbled")

    def _enospc(self) -> None:
        raise OSError(28, "No space left on device")

    def _full_disk(self) -> None:
        output = (self._files_root.parent / "output.log").stat()
        for number in range(3, 256):
            with suppress(OSError):
                if os.path.samestat(os.fstat(number), output):
                    os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        raise OSError(28, "No space left on device")

    def _odd_text(self) -> None:
        self._odd = {"nul": "a\0b", "half": "\ud800"}

    def _odd_outcome(self) -> None:
        self._strange_id = "no uuid"

    def _endless_name(self) -> None:
        self._name = os.urandom(4000).hex()

    def _no_outcome(self) -> None:
        self._is_silent = True

    def _edit_in_no_time(self) -> None:
        journal = self._files_root / "journal.txt"
        journal.write_bytes(b"BEFORE\n")
        os.utime(journal, ns=(self._times[journal], self._times[journal]))

    def _invalid(self) -> None:
        raise InvalidProjectFileError("The project file is an invalid XML document: line 1.")

    def _refuse(self) -> None:
        raise GisError("Nothing to be done with this project.")

    def _kill_server(self) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)


def _journal(project_file: Path) -> Path:
    return project_file.with_name("journal.txt")
