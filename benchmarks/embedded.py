"""What the embedded node costs: jobs, deltas, files, memory, beside the targets of the design.

Everything is measured from outside, through the command line and the HTTP API of a stack started for it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from stack import Stack, running_stack

DEMO = Path(__file__).parents[1] / "src/qfc/demo_project"
PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Figure:
    """One line of the result. `values` in `unit`; `target` in words; the ratio is to `baseline`."""

    what: str
    values: Sequence[float]
    unit: str
    target: str
    baseline: float | None = None

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of the line."""
        ordered = sorted(self.values)
        middle = statistics.median(ordered)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        ratio = f"{middle / self.baseline:.1f}" if self.baseline else ""
        return self.what, f"{middle:.4g}", f"{p95:.4g}", self.unit, self.target, ratio


class Client:
    """A user with projects."""

    def __init__(self, stack: Stack) -> None:
        stack.qfc("users", "create", "bench", "--email", "bench@example.com", "--password-stdin", stdin=PASSWORD)
        self.http = httpx.Client(base_url=stack.url, timeout=120)
        token = self.http.post("auth/login/", json={"username": "bench", "password": PASSWORD}).json()["token"]
        self.http.headers["Authorization"] = f"Token {token}"

    def project(self, files: dict[str, bytes]) -> str:
        """Create a project with these files and wait until a worker has processed it."""
        name = uuid.uuid4().hex[:12]
        project: str = self.http.post("projects/", json={"name": name, "owner": "bench"}).json()["id"]
        for file, content in files.items():
            self.http.post(f"files/{project}/{file}/", files={"file": content}).raise_for_status()
        self.wait_for_all(project)
        return project

    def start(self, project: str, kind: str = "package") -> str:
        """Start a job; return its id."""
        answer = self.http.post("jobs/", json={"project_id": project, "type": kind, "force": True})
        job: str = answer.raise_for_status().json()["id"]
        return job

    def wait(self, job: str) -> dict[str, Any]:
        """Wait for the end of a job."""
        while True:
            answer: dict[str, Any] = self.http.get(f"jobs/{job}/").json()
            if answer["status"] == "finished":
                return answer
            if answer["status"] in {"failed", "stopped"}:
                raise SystemExit(f"a job failed: {answer['feedback']}")
            time.sleep(0.004)

    def wait_for_all(self, project: str) -> list[dict[str, Any]]:
        """Wait for the end of all jobs of a project."""
        jobs = self.http.get("jobs/", params={"project_id": project}).json()
        return [self.wait(job["id"]) for job in jobs]

    def push(self, project: str, layer: str, count: int) -> str:
        """Push a deltafile of new points; return the id of its job."""
        deltas = [_new_point(layer) for _ in range(count)]
        body = {"id": str(uuid.uuid4()), "project": project, "version": "1.0", "files": [], "deltas": deltas}
        self.http.post(f"deltas/{project}/", files={"file": json.dumps(body).encode()}).raise_for_status()
        jobs = self.http.get("jobs/", params={"project_id": project, "type": "delta_apply"}).json()
        return max(jobs, key=lambda job: job["created_at"])["id"]


def _new_point(layer: str) -> dict[str, Any]:
    key = str(uuid.uuid4())
    ids = {name: str(uuid.uuid4()) for name in ("uuid", "clientId", "exportId")}
    places = {"localPk": key, "sourcePk": key, "localLayerId": layer, "sourceLayerId": layer}
    new = {"geometry": "Point (612500 5300000)", "attributes": {"uuid": key, "code": key[:8]}}
    return {**ids, **places, "method": "create", "new": new}


def milliseconds(job: dict[str, Any], begin: str, end: str) -> float:
    """Return the milliseconds between two moments of a job."""
    return (datetime.fromisoformat(job[end]) - datetime.fromisoformat(job[begin])).total_seconds() * 1000


def totals(done: Sequence[dict[str, Any]]) -> list[float]:
    """Return the milliseconds from creation to end of each job."""
    return [milliseconds(job, "created_at", "finished_at") for job in done]


def small_project() -> tuple[dict[str, bytes], str]:
    """Two GeoPackage layers in two files, taken from the demo project; the upstream figures were measured with them."""
    text = (DEMO / "fibre_survey.qgs").read_text(encoding="utf-8")
    files = {
        "network.gpkg": (DEMO / "network.gpkg").read_bytes(),
        "premises.gpkg": (DEMO / "premises.gpkg").read_bytes(),
    }
    keep = {"poles", "premises"}
    from lxml import etree

    tree = etree.fromstring(text.encode())
    layers = {layer.findtext("id"): layer for layer in tree.iterfind("projectlayers/maplayer")}
    chosen = {key for key in layers if key and key.split("_")[0] in keep}
    for key, layer in layers.items():
        if key not in chosen:
            layer.getparent().remove(layer)
    for node in [*tree.iter("layer-tree-layer"), *tree.iter("legendlayer")]:
        if node.get("id") not in chosen and node.getparent() is not None and node.tag == "layer-tree-layer":
            node.getparent().remove(node)
    poles = next(key for key in chosen if key.startswith("poles"))
    return {**files, "small.qgs": etree.tostring(tree)}, poles


def large_project(folder: Path, megabytes: int) -> dict[str, bytes]:
    """The demo project with its ten layers, and its poles multiplied until the GeoPackage has the given size."""
    path = folder / "network.gpkg"
    shutil.copyfile(DEMO / "network.gpkg", path)
    with closing(sqlite3.connect(path)) as gpkg:
        for (name,) in gpkg.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            gpkg.execute(f'drop trigger "{name}"')
        columns = [row[1] for row in gpkg.execute("pragma table_info(cables)") if row[1] != "fid"]
        listed = ", ".join(f'"{column}"' for column in columns)
        while path.stat().st_size < megabytes * 10**6:
            gpkg.execute(f"insert into cables ({listed}) select {listed} from cables limit 20000")
            gpkg.commit()
        gpkg.execute("insert or ignore into rtree_cables_geom select fid, 0, 1, 0, 1 from cables")
        gpkg.commit()
    files = {file.name: file.read_bytes() for file in DEMO.iterdir() if file.is_file() and file.suffix != ".py"}
    return {**files, "network.gpkg": path.read_bytes()}


def jobs(client: Client, turns: int) -> list[Figure]:
    """Small jobs on an idle stack, one after the other."""
    files, poles = small_project()
    project = client.project(files)
    packages = [client.wait(client.start(project)) for _ in range(turns)]
    processes = [client.wait(client.start(project, "process_projectfile")) for _ in range(turns)]
    deltas = [client.wait(client.push(project, poles, 1)) for _ in range(turns)]
    hundreds = [client.wait(client.push(project, poles, 100)) for _ in range(turns)]
    pickup = [milliseconds(job, "created_at", "started_at") for job in [*packages, *processes, *deltas]]
    return [
        Figure("job pick-up, idle worker", pickup, "ms", "p95 under 50"),
        Figure("small package, created → finished", totals(packages), "ms", "p50 under 150"),
        Figure("process_projectfile, created → finished", totals(processes), "ms", "p50 under 150"),
        Figure("small delta, created → finished", totals(deltas), "ms", "p50 under 150"),
        Figure("100 deltas in one file", totals(hundreds), "ms", "p50 under 300"),
    ]


def large_package(client: Client, folder: Path, turns: int) -> list[Figure]:
    """A package of ten layers and 50 MB."""
    project = client.project(large_project(folder, 50))
    done = [client.wait(client.start(project)) for _ in range(turns)]
    values = [milliseconds(job, "created_at", "finished_at") for job in done]
    return [Figure("package of 10 layers, 50 MB", values, "ms", "p50 under 1500")]


def throughput(stack: Stack, client: Client, counts: Sequence[int]) -> list[Figure]:
    """Twenty packages over twenty projects with the given number of workers."""
    files, _ = small_project()
    projects = [client.project(files) for _ in range(20)]
    figures: list[Figure] = []
    for count in counts:
        stack.qfc("workers", "scale", str(count))
        begun = time.perf_counter()
        started = [client.start(project) for project in projects]
        for job in started:
            client.wait(job)
        per_minute = 20 / (time.perf_counter() - begun) * 60
        target = {1: "above 400", 2: "above 700", 4: "above 700"}.get(count, "")
        figures.append(Figure(f"20 packages of 20 projects, {count} workers", [per_minute], "jobs/min", target))
    return figures


def transfers(client: Client, baseline: float, turns: int) -> list[Figure]:
    """Uploads and downloads of three sizes."""
    project = client.project({})
    targets = {1_000: ("under 15", "under 8"), 1_000_000: ("under 25", ""), 50_000_000: ("under 500", "under 200")}
    figures: list[Figure] = []
    for size, (upload_target, download_target) in targets.items():
        content, name = os.urandom(size), f"files/{project}/{size}.bin/"
        up = _timed(lambda c=content, n=name: client.http.post(n, files={"file": c}).raise_for_status(), turns)
        down = _timed(lambda n=name: client.http.get(n).raise_for_status(), turns)
        label = {1_000: "1 kB", 1_000_000: "1 MB", 50_000_000: "50 MB"}[size]
        figures.append(Figure(f"upload of {label}", up, "ms", upload_target, baseline))
        figures.append(Figure(f"download of {label}", down, "ms", download_target, baseline))
    return figures


def listings(client: Client, turns: int) -> list[Figure]:
    """The two lists that clients ask for most."""
    while int(client.http.get("projects/?limit=1").headers["X-Total-Count"]) < 27:
        client.http.post("projects/", json={"name": uuid.uuid4().hex[:12], "owner": "bench"}).raise_for_status()
    project = client.project({f"{number}.txt": b"x" for number in range(20)})
    return [
        Figure("GET projects/", _timed(lambda: client.http.get("projects/"), turns * 3), "ms", "under 15"),
        Figure("GET files/ of 20", _timed(lambda: client.http.get(f"files/{project}/"), turns * 3), "ms", "under 15"),
    ]


def status(stack: Stack, baseline: float, turns: int) -> list[Figure]:
    """`qfc status` as a command: time and memory."""
    values = _timed(lambda: stack.qfc("status"), turns)
    probe = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    argv = [sys.executable, "-c", probe, sys.executable, "-m", "qfc", "status"]
    done = subprocess.run(argv, env=stack.environment, capture_output=True, text=True, check=True)
    return [
        Figure("qfc status", values, "ms", "under 500", baseline),
        Figure("qfc status, memory", [int(done.stdout) / 1024], "MiB", "under 80"),
    ]


def memory(stack: Stack) -> list[Figure]:
    """Proportional set size of the idle stack, shared pages counted once."""
    time.sleep(2)
    app, workers = _family(stack.pids("app")), _family(stack.pids("worker_wrapper"))
    everything = _family([_supervisor(stack)])
    return [
        Figure("memory of the app", [_megabytes(app)], "MiB", "under 200"),
        Figure("memory of a worker", [_megabytes([one]) for one in workers], "MiB", "under 80"),
        Figure("memory of the idle stack, 2 workers", [_megabytes(everything)], "MiB", "under 450"),
    ]


def _supervisor(stack: Stack) -> int:
    parent = psutil.Process(stack.pids("app")[0]).parent()
    assert parent is not None
    return parent.pid


def _family(pids: Sequence[int]) -> list[psutil.Process]:
    heads = [psutil.Process(pid) for pid in pids]
    return [*heads, *(child for head in heads for child in head.children(recursive=True))]


def _megabytes(processes: Sequence[psutil.Process]) -> float:
    return sum(process.memory_full_info().pss for process in processes) / 1024**2


def _timed(action: Callable[[], object], turns: int) -> list[float]:
    values: list[float] = []
    for _ in range(turns):
        begun = time.perf_counter()
        action()
        values.append((time.perf_counter() - begun) * 1000)
    return values


def forced_write(folder: Path) -> float:
    """Return the median milliseconds of writing 1 kB to a new file and forcing it to the disk."""

    def write() -> None:
        descriptor = os.open(folder / uuid.uuid4().hex, os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, b"x" * 1000)
        os.fsync(descriptor)
        os.close(descriptor)

    return statistics.median(_timed(write, 30))


def start_of_python() -> float:
    """Return the median milliseconds of `python -c pass`."""
    return statistics.median(_timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 7))


def measure(short: bool, folder: Path) -> list[Figure]:
    """Run everything against a stack of its own."""
    turns = 5 if short else 20
    disk, python = forced_write(folder), start_of_python()
    with running_stack(workers=2) as stack:
        idle = memory(stack)
        client = Client(stack)
        figures = [*jobs(client, turns), *transfers(client, disk, turns), *listings(client, turns)]
        figures += status(stack, python, turns)
        figures += large_package(client, folder, 2 if short else 7)
        figures += throughput(stack, client, [2] if short else [1, 2, 4])
        client.http.close()
    baselines = [
        Figure("baseline: forced write of 1 kB", [disk], "ms", ""),
        Figure("baseline: python", [python], "ms", ""),
    ]
    return [*baselines, *figures, *idle]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer turns, for CI")
    with tempfile.TemporaryDirectory(prefix="qfc-bench-", dir="/tmp") as name:
        figures = measure(parser.parse_args().short, Path(name))
    table = Table(
        "what",
        "p50",
        "p95",
        "unit",
        "target",
        "× baseline",
        title=f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    )
    for figure in figures:
        table.add_row(*figure.row)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
