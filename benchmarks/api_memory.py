"""What the worst requests cost the API's memory, and whether it returns to its rest.

A stack of its own gets a deltafile of 90 MB, lists of all its deltas, a large upload and its download; the memory of
the API's processes is watched meanwhile. Proportional set size: shared pages count once.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
from embedded import Client, _family, _megabytes, small_project
from rich.console import Console
from rich.table import Table

from stack import Stack, running_stack

PAUSE_S = 0.05
#: Seconds until threads have let go of what they held.
REST_S = 3.0


class Watch:
    """The largest memory of the API's processes."""

    def __init__(self, stack: Stack) -> None:
        self.processes = _family(stack.pids("app"))
        self.peak = 0.0

    @property
    def now(self) -> float:
        """Megabytes now."""
        return _megabytes(self.processes)

    @contextmanager
    def watching(self) -> Generator[None]:
        """Note the peak of the block."""
        ended = threading.Event()
        self.peak = self.now

        def watch() -> None:
            while not ended.wait(PAUSE_S):
                self.peak = max(self.peak, self.now)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def deltafile(project: str, layer: str, size: int) -> bytes:
    """A deltafile of about so many bytes, with notes of 2 kB."""
    count = size // 2300
    deltas = [
        {
            **{name: str(uuid.uuid4()) for name in ("uuid", "clientId", "exportId", "localPk")},
            "localLayerId": layer,
            "sourceLayerId": layer,
            "method": "create",
            "new": {"geometry": "Point (612500 5300000)", "attributes": {"note": "x" * 2000}},
        }
        for _ in range(count)
    ]
    body = {"deltas": deltas, "files": [], "id": str(uuid.uuid4()), "project": project, "version": "1.0"}
    return json.dumps(body).encode()


def requests(client: Client, size: int) -> dict[str, Callable[[], Any]]:
    """The worst requests by name."""
    http = client.http
    files, layer = small_project()
    project = client.project(files)
    other = client.project(files)
    large, upload = deltafile(project, layer, size), os.urandom(size)
    refused = deltafile(other, layer, size)[:-3]
    nested = b'{"deltas": [' + b"[" * (size // 10)
    values = b'{"deltas": [{"a": [' + b"1," * (size // 2)

    def push(content: bytes, to: str, expected: set[int]) -> Callable[[], None]:
        def send() -> None:
            answer = http.post(f"deltas/{to}/", files={"file": content})
            assert answer.status_code in expected, answer.text[:300]

        return send

    def read(address: str) -> Callable[[], None]:
        def ask() -> None:
            with http.stream("GET", address) as answer:
                assert sum(map(len, answer.iter_raw())) > size // 2

        return ask

    return {
        "a deltafile that is cut off": push(refused, other, {400}),
        "one that is nested deeply": push(nested, other, {400}),
        "one of numbers alone": push(values, other, {400, 413}),
        "a good one": push(large, project, {200}),
        "the list of its deltas": read(f"deltas/{project}/"),
        "the list again": read(f"deltas/{project}/"),
        "an upload": lambda: http.post(f"files/{project}/large.bin/", files={"file": upload}).raise_for_status(),
        "its download": read(f"files/{project}/large.bin/"),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=90, help="size of each request (default: 90)")
    size = parser.parse_args().megabytes * 10**6
    table = Table(
        "request", "MiB before", "peak", "after", "s", title=f"memory of the API, requests of {size // 10**6} MB"
    )
    with running_stack(workers=1) as stack:
        client = Client(stack)
        client.http.timeout = httpx.Timeout(600)
        todo = requests(client, size)
        stack.qfc("services", "stop", "worker_wrapper", check=False)
        watch = Watch(stack)
        for name, action in todo.items():
            before, begun = watch.now, time.perf_counter()
            with watch.watching():
                action()
            taken = time.perf_counter() - begun
            time.sleep(REST_S)
            table.add_row(name, *(f"{one:.0f}" for one in (before, watch.peak, watch.now)), f"{taken:.1f}")
        client.http.close()
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
