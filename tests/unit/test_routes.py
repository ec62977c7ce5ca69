"""The addresses of a deployment's services, from its host and from this machine."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from qfc.drivers.docker.containers import Container, PublishedPort
from qfc.drivers.routes.address import Place, places, reachable
from qfc.drivers.routes.database import DatabaseAccess, DatabaseRoute
from qfc.drivers.routes.endpoint import endpoint_here
from qfc.drivers.routes.forwards import Forwards
from qfc.errors import QfcError, UnreachableError

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def container(service: str, address: str | None, *ports: PublishedPort, status: str = "running") -> Container:
    blank = Container(
        "a1", f"qfc-{service}-1", "", "", status, 1, NOW, NOW, None, 0, False, 0, "", None, False, None, ""
    )
    labels = {"com.docker.compose.service": service}
    return replace(blank, labels=labels, ports=ports, addresses={"qfc_default": address} if address else {})


MINIO = container(
    "minio", "172.19.0.5", PublishedPort(9000, "127.0.0.1", 8009), PublishedPort(9000, "172.17.0.1", 8010)
)
NGINX = container("nginx", "172.19.0.9", PublishedPort(443, "0.0.0.0", 8443), PublishedPort(443, "::", 8443))
DAV = container("webdav", "172.19.0.7")
STOPPED = container("db", None, status="exited")
ALL = [MINIO, NGINX, DAV, STOPPED]


@pytest.mark.parametrize(
    ("name", "port", "wanted"),
    [
        ("minio", 9000, [("127.0.0.1", 8009), ("172.17.0.1", 8010), ("172.19.0.5", 9000)]),
        ("minio", 9001, [("172.19.0.5", 9001)]),
        ("nginx", 443, [("127.0.0.1", 8443), ("172.19.0.9", 443)]),
        ("qfc-webdav-1", 80, [("172.19.0.7", 80)]),
        ("db", 5432, []),
        ("host.docker.internal", 5432, [("127.0.0.1", 5432)]),
        ("172.17.0.1", 8009, [("127.0.0.1", 8009)]),
        ("database.example.org", 5432, [("database.example.org", 5432)]),
    ],
)
def test_the_host_reaches_what_containers_call_so(name: str, port: int, wanted: list[tuple[str, int]]) -> None:
    assert [(place.address, place.port) for place in places(name, port, ALL)] == wanted


def test_every_container_of_a_service_is_a_way() -> None:
    second = replace(DAV, name="qfc-webdav-2", addresses={"qfc_default": "172.19.0.8", "other": "10.0.0.8"})
    found = places("webdav", 80, [DAV, second, replace(second, status="restarting")])
    assert [place.address for place in found] == ["172.19.0.7", "172.19.0.8", "10.0.0.8"]


@pytest.mark.parametrize(
    ("address", "wanted"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("10.0.0.1", "10.0.0.1")]
)
def test_a_port_that_is_published_everywhere_is_reached_at_home(address: str, wanted: str) -> None:
    assert reachable(address) == wanted


class Far:
    """A host whose addresses lead here through forwarded ports; `closed` ones fail. Implements only `forward`."""

    def __init__(self, *closed: Place, error: type[QfcError] = QfcError, address: str = "127.0.0.1") -> None:
        self.closed, self.error, self.address = closed, error, address
        self.asked: list[Place] = []

    @contextmanager
    def forward(self, address: str, port: int) -> Generator[tuple[str, int]]:
        place = Place(address, port)
        self.asked.append(place)
        if place in self.closed:
            raise self.error("Not this way.")
        yield self.address, 50_000 + len(self.asked)


def here(url: str, host: Far, containers: list[Container] = ALL) -> str:
    return endpoint_here(url, Forwards(host), lambda: containers)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://minio:9000", Place("127.0.0.1", 8009)),
        ("http://webdav", Place("172.19.0.7", 80)),
        ("https://nginx", Place("127.0.0.1", 8443)),
        ("http://172.17.0.1:8009", Place("127.0.0.1", 8009)),
        ("http://172.17.0.1:8010", Place("172.17.0.1", 8010)),
        ("http://localhost:8443", Place("127.0.0.1", 8443)),
        ("http://host.docker.internal:9999", Place("127.0.0.1", 9999)),
    ],
)
def test_what_only_the_host_reaches_is_reached_through_it(url: str, asked: Place) -> None:
    host = Far()
    assert here(url, host) == f"{url.partition('//')[0]}//127.0.0.1:50001"
    assert host.asked == [asked]


def test_path_and_query_stay_and_an_account_does_not() -> None:
    assert here("http://me:hunter2@webdav:80/dav/?x=1#y", Far()) == "http://127.0.0.1:50001/dav/?x=1"
    assert here("http://webdav/", Far(address="::1")) == "http://[::1]:50001/"


def test_what_lies_in_the_world_is_reached_as_it_is() -> None:
    host = Far()
    assert here("https://s3.example.org/bucket", host) == "https://s3.example.org/bucket"
    assert host.asked == []


def test_the_next_way_is_taken_where_one_leads_nowhere() -> None:
    host = Far(Place("127.0.0.1", 8009))
    assert here("http://minio:9000", host) == "http://127.0.0.1:50002"
    assert host.asked[1] == Place("172.17.0.1", 8010)


def test_a_host_that_cannot_be_reached_is_told_at_once() -> None:
    host = Far(Place("127.0.0.1", 8009), error=UnreachableError)
    with pytest.raises(UnreachableError, match="Not this way"):
        here("http://minio:9000", host)
    assert len(host.asked) == 1


def test_a_service_that_does_not_run_is_told() -> None:
    with pytest.raises(UnreachableError, match="db does not run") as caught:
        here("http://db:5432", Far())
    assert "--service db" in caught.value.hint


def test_a_place_that_is_known_is_not_forwarded_again() -> None:
    host = Far()
    forwards = Forwards(host)  # pyright: ignore[reportArgumentType]
    first = forwards.to(Place("127.0.0.1", 8009))
    assert forwards.to(Place("127.0.0.1", 8009)) == first
    forwards.close()
    assert forwards.to(Place("127.0.0.1", 8009)) != first


ACCESS = DatabaseAccess("db", 5432, "qfc", "qfc", "secret")


def route(db: Container, asked: list[str]) -> DatabaseRoute:
    """Return a route to a database in a container; `asked` counts how often somebody looks for one."""

    def topology() -> tuple[list[Container], DatabaseAccess]:
        asked.append(db.status)
        return [db, replace(DAV, labels={"com.docker.compose.service": "app"})], ACCESS

    def to(place: Place) -> Place:
        return place

    return DatabaseRoute(cast(Any, None), cast(Any, SimpleNamespace(to=to)), topology)


def test_a_stopped_database_is_told_at_once() -> None:
    """No route leads to it, and each that is tried takes seconds: a diagnosis would end before it has looked."""
    with pytest.raises(UnreachableError, match="The database db does not run"):
        route(STOPPED, []).connect()


def test_a_database_that_does_not_answer_is_not_asked_by_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    hanging = route(container("db", "172.19.0.4"), asked)

    def refuse(**parameters: object) -> None:
        raise psycopg.OperationalError("connection timeout expired")

    monkeypatch.setattr("psycopg.connect", refuse)
    monkeypatch.setattr("qfc.drivers.routes.database.BETWEEN", ())
    monkeypatch.setattr("qfc.drivers.routes.database.SLOW_S", -1)
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            hanging.connect()
    assert len(asked) == 1
    monkeypatch.setattr("qfc.drivers.routes.database.monotonic", lambda: monotonic() + 10)
    with pytest.raises(psycopg.OperationalError):
        hanging.connect()
    assert len(asked) == 2
