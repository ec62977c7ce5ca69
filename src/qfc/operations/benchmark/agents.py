"""People in the field with phones: each pushes edits and photos, and fetches the package that has everybody's."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

from ...errors import QfcError
from ...stack.model import JobStatus
from ..probe import ProbeError, ProbeProject

#: A layer of the demo project: inspections of poles, without geometry.
INSPECTIONS = "inspections_737a2cdb_2411_5e65_9e09_817d26c4fb18"
EDITS = 3
PHOTO_BYTES = 40_000
#: Seconds between two looks of a phone at its job.
LOOK_S = 1.0
#: The statuses of edits that no worker has applied yet.
OPEN_EDITS = ("STATUS_PENDING", "STATUS_BUSY")
#: The first key of features that phones create; none of the project has it.
FIRST_KEY = 1_000_000


class _OverError(Exception):
    """The test is over."""


@dataclass
class Diary:
    """What one person, or all of them, did: seconds of each synchronisation, and what went wrong.

    `unfinished` has the seconds that synchronisations had lasted when the test was over: the slowest are among them.
    """

    syncs: list[float] = field(default_factory=list[float])
    unfinished: list[float] = field(default_factory=list[float])
    problems: list[str] = field(default_factory=list[str])


class FieldAgent:
    """A person who synchronises every `every_s` seconds on average, counted from the end of the last time."""

    def __init__(self, project: ProbeProject, name: str, every_s: float, over: Event) -> None:
        self._project, self._name, self._every_s, self._over = project, name, every_s, over
        self._random = random.Random(name)
        self._phone, self._export = str(uuid.uuid4()), str(uuid.uuid4())
        self._packaged: dict[str, str] = {}
        self._key = FIRST_KEY

    def work(self) -> Diary:
        """Work until the test is over."""
        diary = Diary()
        try:
            while True:
                self._rest(self._random.expovariate(1 / self._every_s))
                self._note(diary)
        except _OverError:
            return diary

    def _note(self, diary: Diary) -> None:
        """Synchronise once, and note how that went."""
        began = monotonic()
        try:
            self._synchronise()
            diary.syncs.append(monotonic() - began)
        except QfcError as error:
            diary.problems.append(error.message)
        except _OverError:
            diary.unfinished.append(monotonic() - began)
            raise

    def _synchronise(self) -> None:
        """Do what QField does: edits, photos, then the package with the edits of all."""
        edits = self._deltafile()
        self._project.push(edits)
        self._project.upload(f"DCIM/{self._name}.jpg", secrets.token_bytes(PHOTO_BYTES))
        while set(self._project.edit_statuses(edits["id"])) & set(OPEN_EDITS):
            self._rest(LOOK_S)
        job = self._project.start_job("package")
        while not (status := JobStatus(self._project.job_status(job))).is_final:
            self._rest(LOOK_S)
        if status is not JobStatus.FINISHED:
            raise ProbeError(f"A package job {status}.", hint=f"Type: qfc logs --job {job}")
        self._download()

    def _download(self) -> None:
        """Fetch the files of the package that differ from those on the phone."""
        for file in self._project.package_files():
            name, checksum = file["name"], file.get("md5sum", "")
            if self._packaged.get(name) != checksum:
                self._project.package_file(name)
                self._packaged[name] = checksum

    def _rest(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise _OverError

    def _deltafile(self) -> dict[str, Any]:
        """Return some new inspections."""
        return {
            "id": str(uuid.uuid4()),
            "project": self._project.id,
            "version": "1.0",
            "files": [],
            "deltas": [self._inspection() for _ in range(EDITS)],
        }

    def _inspection(self) -> dict[str, Any]:
        self._key += 1
        values = {"uuid": f"{{{uuid.uuid4()}}}", "inspector": self._name, "result": "ok", "tilt_deg": 0.5}
        return {
            "uuid": str(uuid.uuid4()),
            "clientId": self._phone,
            "exportId": self._export,
            "localPk": str(self._key),
            "sourcePk": str(self._key),
            "localLayerId": INSPECTIONS,
            "sourceLayerId": INSPECTIONS,
            "method": "create",
            "new": {"attributes": {"fid": self._key, **values}},
        }


def work_together(agents: Sequence[FieldAgent], over: Event, seconds: float) -> Diary:
    """Let all of them work for some seconds; return what they did. On every way out they stop, also if one crashes."""
    with ThreadPoolExecutor(len(agents)) as threads:
        try:
            working = [threads.submit(agent.work) for agent in agents]
            wait(working, timeout=seconds, return_when=FIRST_EXCEPTION)
        finally:
            over.set()
        diaries = [one.result() for one in working]
    return Diary(
        syncs=[one for diary in diaries for one in diary.syncs],
        unfinished=[one for diary in diaries for one in diary.unfinished],
        problems=[one for diary in diaries for one in diary.problems],
    )
