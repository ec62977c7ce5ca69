"""The main workflow from beginning to end: upload, package, two devices, a killed worker, every edit applied once."""

from __future__ import annotations

import random
import secrets
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import QfcError
from . import fieldwork
from .killing import kill_while_applying
from .oracle import Expectation, expect
from .results import Kill, Operator, ScenarioError, ScenarioResult, Step
from .session import Device, wait_until
from .survey import read_survey, shipped_project
from .transfer import download_package, download_project, upload_project
from .verification import differences, wrong_statuses

#: Edits in the deltafile during which the worker is killed.
TOUR_STOPS = 600


def run_scenario(url: str, operator: Operator, on_step: Callable[[Step], None]) -> ScenarioResult:
    """Run every step against the API at `url` (…/api/v1/), and call `on_step` after each one.

    Stops at the first failed step. Leaves the project and its three users on the server.
    """
    with tempfile.TemporaryDirectory(prefix="qfc-demo-") as folder:
        return Scenario(url, operator, Path(folder), random.Random(secrets.randbits(64))).run(on_step)


class Scenario:
    """The steps, in order, and their shared data."""

    def __init__(self, url: str, operator: Operator, folder: Path, rng: random.Random) -> None:
        self._operator = operator
        self._folder = folder
        run = f"{rng.getrandbits(16):04x}"
        self._survey = read_survey(shipped_project())
        self._passwords = {f"{name}-{run}": secrets.token_urlsafe(16) for name in ("office", "mira", "jonas")}
        self._office, self._mira, self._jonas = (Device(url, name) for name in self._passwords)
        self._west, self._east = fieldwork.surveyors(self._survey, self._mira.username, self._jonas.username, rng)
        self._project_id = ""
        self._pushed: dict[str, list[dict[str, Any]]] = {"west": [], "east": []}
        self._kill: Kill | None = None
        self._result = ScenarioResult(self._office.url, "", ())

    def run(self, on_step: Callable[[Step], None]) -> ScenarioResult:
        """Take the steps until one fails; return the result."""
        steps: list[Step] = []
        plan = self._plan()
        for name, take in plan:
            steps.append(_taken(name, take))
            on_step(steps[-1])
            if not steps[-1].ok:
                break
        timings = {**{step.name: step.seconds for step in steps}, **self._result.timings}
        return replace(
            self._result,
            steps=tuple(steps),
            timings=timings,
            project_id=self._project_id,
            kill=self._kill,
            planned=len(plan),
        )

    def _plan(self) -> list[tuple[str, Callable[[], str]]]:
        return [
            ("create users", self._create_users),
            ("log in", self._log_in),
            ("create project", self._create_project),
            ("upload", self._upload),
            ("process project file", self._process),
            ("package", self._package),
            ("download to two devices", self._download),
            ("push edits, kill a worker", self._push_and_kill),
            ("send again, apply the rest", self._settle),
            ("check every edit", self._verify),
            ("package again", self._package),
            ("fetch on the second device", self._fetch_again),
        ]

    def _create_users(self) -> str:
        for name, password in self._passwords.items():
            self._operator.create_user(name, password)
        return ", ".join(self._passwords)

    def _log_in(self) -> str:
        for session in (self._office, self._mira, self._jonas):
            session.login(self._passwords[session.username])
        return "three tokens from the SDK"

    def _create_project(self) -> str:
        from qfieldcloud_sdk.sdk import ProjectCollaboratorRole

        name = "fibre_survey"
        self._project_id = self._office.client.create_project(name, description="Hasselried fibre survey")["id"]
        self._office.keep_conflicts(self._project_id)
        for session in (self._mira, self._jonas):
            role = ProjectCollaboratorRole.EDITOR
            self._office.client.add_project_collaborator(self._project_id, session.username, role)
        return f"{self._office.username}/{name}, two editors, conflicts stay visible"

    def _upload(self) -> str:
        size = upload_project(self._office, self._project_id, shipped_project())
        count = len(self._office.files(self._project_id))
        return f"{count} files, {size / 1e6:.2f} MB, four connections, md5 checked"

    def _process(self) -> str:
        job = self._finished("process_projectfile")
        self._note("process_projectfile job", job.seconds)
        status = self._office.client.get_project(self._project_id)["status"]
        if status != "ok":
            raise ScenarioError(f"the project's status is {status} instead of ok")
        return f"job done {job.seconds:.2f} s after it was created, project ok"

    def _package(self) -> str:
        from qfieldcloud_sdk.sdk import JobTypes

        triggered = self._office.client.job_trigger(self._project_id, JobTypes.PACKAGE, force=True)
        job = self._finished("package", triggered["id"])
        self._note("package job", job.seconds)
        files = self._office.package_files(self._project_id)
        return (
            f"job done after {job.seconds:.2f} s, {len(files)} files, {sum(file.size for file in files) / 1e6:.2f} MB"
        )

    def _download(self) -> str:
        with ThreadPoolExecutor(2) as threads:
            sessions = (self._mira, self._jonas)
            folders = list(threads.map(self._download_to_device, sessions))
        untouched = expect(self._survey, [])
        for folder in folders:
            _raise(differences(untouched, read_survey(folder)))
        count = sum(len(rows) for rows in self._survey.features.values())
        return f"bytes match their md5 on both; data.gpkg holds all {count} features"

    def _download_to_device(self, session: Device) -> Path:
        return download_package(session, self._project_id, self._folder / session.username)

    def _push_and_kill(self) -> str:
        self._kill = kill_while_applying(self._office, self._project_id, self._operator, self._push)
        self._note("worker killed to job done", self._kill.heal_seconds)
        missed = f" (after {self._kill.misses} attempts that came too late)" if self._kill.misses else ""
        successor = f"pid {self._kill.successor_pid}" if self._kill.successor_pid else "another worker"
        return (
            f"SIGKILL to pid {self._kill.pid} while it applied{missed}; {successor} picked the job up "
            f"and finished it {self._kill.heal_seconds:.1f} s later"
        )

    def _push(self, number: int) -> None:
        """Push a long tour first, then both devices at the same time. If the kill came too late: a longer tour."""
        fieldwork.tour(self._east, TOUR_STOPS * (number + 1))
        self._send(self._jonas, self._take_deltafile("east"))
        if number == 0:
            fieldwork.morning(self._east)
            fieldwork.morning(self._west)
            both = [(self._jonas, self._take_deltafile("east")), (self._mira, self._take_deltafile("west"))]
            with ThreadPoolExecutor(2) as threads:
                sent = [threads.submit(self._send, session, deltafile) for session, deltafile in both]
            for one in sent:
                one.result()

    def _take_deltafile(self, side: str) -> dict[str, Any]:
        surveyor = self._west if side == "west" else self._east
        self._pushed[side].append(fieldwork.push(surveyor, self._project_id))
        return self._pushed[side][-1]

    def _send(self, session: Device, deltafile: dict[str, Any]) -> None:
        session.copy().push(self._project_id, deltafile, self._folder)

    def _settle(self) -> str:
        """Push the afternoon, send a known deltafile again, upload the photos, wait until no job waits."""
        self._send(self._mira, self._pushed["west"][0])
        fieldwork.afternoon(self._west)
        self._send(self._mira, self._take_deltafile("west"))
        photos = self._upload_photos()
        wait_until(self._nothing_waits, "every job and delta to be done")
        jobs = self._office.jobs(self._project_id)
        failed = [f"{job.type} job {job.id} is {job.status}" for job in jobs if job.status != "finished"]
        _raise(failed)
        return f"a deltafile sent twice, {photos} photos uploaded, all {len(jobs)} jobs finished"

    def _upload_photos(self) -> int:
        count = 0
        for session, surveyor in ((self._mira, self._west), (self._jonas, self._east)):
            for name, content in surveyor.device.photos.items():
                path = self._folder / Path(name).name
                path.write_bytes(content)
                session.upload(self._project_id, path, name)
                count += 1
        return count

    def _nothing_waits(self) -> bool | None:
        if any(job.is_open for job in self._office.jobs(self._project_id)):
            return None
        waiting = [
            delta for delta in self._office.deltas(self._project_id) if delta["last_status"] in ("pending", "started")
        ]
        return True if not waiting else None

    def _verify(self) -> str:
        deltas = self._office.deltas(self._project_id)
        statuses = {delta["id"]: delta["last_status"] for delta in deltas}
        expected = self._expectation(statuses)
        _raise(wrong_statuses(expected, statuses))
        edited = read_survey(download_project(self._office, self._project_id, self._folder / "edited"))
        _raise(differences(expected, edited))
        self._result = replace(
            self._result,
            deltas=dict(Counter(statuses.values())),
            features={layer: expected.count(layer) for layer in expected.state},
        )
        (pole,) = edited.find("poles", code=fieldwork.CONTESTED_POLE)
        applied = len(statuses) - len(expected.conflicts)
        return (
            f"{applied} of {len(statuses)} edits applied exactly once; 1 conflict is visible: pole "
            f"{fieldwork.CONTESTED_POLE} stays {pole.attributes['condition']}"
        )

    def _expectation(self, statuses: dict[str, str]) -> Expectation:
        """Return the expected result, given which of the two was first at the contested pole."""
        west, east = self._pushed["west"], self._pushed["east"]
        either = [expect(self._survey, west + east), expect(self._survey, east + west)]
        for expected in either:
            if expected.conflicts == [delta for delta in statuses if statuses[delta] == "conflict"]:
                return expected
        return either[0]

    def _fetch_again(self) -> str:
        folder = download_package(self._jonas, self._project_id, self._folder / "jonas-evening")
        statuses = {delta["id"]: delta["last_status"] for delta in self._office.deltas(self._project_id)}
        _raise(differences(self._expectation(statuses), read_survey(folder)))
        for name, content in self._west.device.photos.items():
            if (folder / name).read_bytes() != content:
                raise ScenarioError(f"{name} is not the picture that was taken")
        return f"sees all edits and the photo of the first device; the stack is {self._operator.status()}"

    def _finished(self, job_type: str, job_id: str | None = None) -> Any:
        return self._office.wait_for_job(
            lambda jobs: next((job for job in jobs if job.type == job_type and job_id in (None, job.id)), None),
            self._project_id,
        )

    def _note(self, name: str, seconds: float) -> None:
        self._result = replace(self._result, timings={**self._result.timings, name: seconds})


def _taken(name: str, take: Callable[[], str]) -> Step:
    """Take a step and time it; after a failure the step is not ok, with the reason as its detail."""
    from qfieldcloud_sdk.sdk import QfcException
    from requests import RequestException

    start = time.monotonic()
    try:
        ok, detail = True, take()
    except (ScenarioError, QfcError, QfcException, RequestException, OSError, ValueError, sqlite3.Error) as error:
        ok, detail = False, " ".join(f"{type(error).__name__}: {error}".split())
    return Step(name, time.monotonic() - start, ok, detail)


def _raise(problems: list[str]) -> None:
    if problems:
        more = f" … and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ScenarioError("; ".join(problems[:5]) + more)
