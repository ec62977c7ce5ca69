"""The proof on a running stack: it passes if everything works, else it names the failed step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import pytest

from qfc import config
from qfc.operations import proof
from qfc.operations.proof import prove
from qfc.stack.model import ApiAnswer, ApiRequest
from qfc.stack.ports import Api, Ports
from qfc.wiring import wire
from stack import running_stack

Change = Callable[[ApiRequest, ApiAnswer], ApiAnswer]


class Between:
    """A faulty proxy in front of the server."""

    def __init__(self, api: Api, change: Change) -> None:
        self._api, self._change = api, change
        self.url = api.url

    def get(self, path: str, *, timeout_s: float = 5) -> ApiAnswer:
        return self.send(ApiRequest("GET", path), timeout_s=timeout_s)

    def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
        return self._change(request, self._api.send(request, timeout_s=timeout_s, sink=sink))


class WithApi:
    """Ports with another API."""

    def __init__(self, ports: Ports, api: Api) -> None:
        self._ports, self.api = ports, api

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    with running_stack(workers=1) as running:
        running.qfc("users", "create", "anna", "--superuser", "--generate")
        made = wire(config.load(running.environment).stack())
        yield made
        made.close()


def names(ports: Ports) -> list[str]:
    return [one.name for one in ports.directory.projects() if one.name.startswith("qfc-probe")]


def test_the_proof_passes_and_leaves_nothing(ports: Ports) -> None:
    assert prove(ports) is None
    assert names(ports) == []


def emptied(part: str) -> Change:
    """Answer requests below some path without a body, like an nginx that cannot reach the store."""

    def change(request: ApiRequest, answer: ApiAnswer) -> ApiAnswer:
        hit = request.method == "GET" and part in request.path and answer.is_good
        return replace(answer, content=b"", size=0) if hit else answer

    return change


@pytest.mark.parametrize(
    ("part", "step", "said"),
    [
        ("/random.bin/", "file round trip", "came back as 0 bytes"),
        ("/probe.qgs/", "project file processed by a worker", "came back as 0 bytes"),
        ("/latest/files/", "package built and downloaded", "arrived with 0 bytes"),
    ],
)
def test_files_that_come_empty_are_told_with_their_step(ports: Ports, part: str, step: str, said: str) -> None:
    broken = prove(WithApi(ports, Between(ports.api, emptied(part))))  # pyright: ignore[reportArgumentType]
    assert broken is not None
    assert (broken.step, said in broken.error.message) == (step, True)
    assert names(ports) == []


def test_an_edit_that_never_gets_there_is_told(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "APPLY_S", 3.0)

    class Swallowing(Between):
        def send(self, request: ApiRequest, *, timeout_s: float = 30, sink: BinaryIO | None = None) -> ApiAnswer:
            if "/deltas/" in request.path:
                return ApiAnswer(200, 0.001, b"")
            return super().send(request, timeout_s=timeout_s, sink=sink)

    broken = prove(WithApi(ports, Swallowing(ports.api, lambda _, answer: answer)))  # pyright: ignore[reportArgumentType]
    assert broken is not None
    assert (broken.step, "was never created" in broken.error.message) == ("edit applied", True)
    assert names(ports) == []


def test_what_is_no_geopackage_is_told() -> None:
    with pytest.raises(proof.ProbeError, match="not a GeoPackage"):
        proof.name_in(b"not a database")
