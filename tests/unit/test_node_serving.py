"""How long clients may keep the server waiting, and whose word about their address counts."""

from __future__ import annotations

import io
import json
import time
from contextlib import closing
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest

from qfc_node.environment import SettingsError
from qfc_node.serving import callers, server
from qfc_node.serving.callers import Callers
from qfc_node.serving.limits import Limits, Phase, Progress, is_late
from qfc_node.serving.proxies import behind_proxies, client_of, counted_as, trusted_proxies
from qfc_node.serving.requests import Request
from qfc_node.serving.server import Server
from qfc_node.serving.worker import adjustments
from qfc_node.storage import outgoing
from qfc_node.storage.errors import NoRoomError
from qfc_node.storage.file_part import FilePart
from qfc_node.storage.outgoing import Outgoing, Promises

LIMITS = Limits(idle_s=15, headers_s=20, stall_s=60, bytes_per_s=500)
PROXIES = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("phase", "waited_s", "still_s", "moved", "late"),
    [
        (Phase.WORK, 5000, 5000, 0, False),
        (Phase.IDLE, 15, 15, 0, False),
        (Phase.IDLE, 15.1, 15.1, 0, True),
        (Phase.HEADERS, 20, 0, 10_000, False),
        (Phase.HEADERS, 20.1, 0, 10_000, True),
        (Phase.BODY, 60, 60, 0, False),
        (Phase.BODY, 60.1, 60.1, 10**9, True),
        (Phase.BODY, 160, 1, 50_000, False),
        (Phase.BODY, 160, 1, 49_999, True),
        (Phase.ANSWER, 160, 1, 49_999, True),
        (Phase.ANSWER, 100_000, 1, 10**9, False),
    ],
)
def test_a_client_is_late(phase: Phase, waited_s: float, still_s: float, moved: int, late: bool) -> None:
    assert is_late(Progress(phase, waited_s, still_s, moved), LIMITS) is late


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's word counts but a proxy's
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),  # what the client claimed is left out
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, unknown", "127.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.9", "10.0.0.9"),
    ],
)
def test_the_address_of_a_client_behind_proxies(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


def test_what_an_untrusted_client_says_of_itself_is_removed() -> None:
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        return []

    environ = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}
    behind_proxies(application, PROXIES)(environ, None)
    assert seen == [{"REMOTE_ADDR": "203.0.113.9"}]


def test_connections_are_counted_by_site() -> None:
    assert counted_as("2001:db8:1:2:3::4") == counted_as("2001:db8:1:2::9") != counted_as("2001:db8:1:3::9")
    assert counted_as("192.0.2.1") != counted_as("192.0.2.2")


def test_a_mistake_in_the_proxies_is_reported_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QFC_NODE_TRUSTED_PROXIES", "10.0.0.0/8 nginx")
    with pytest.raises(SettingsError, match="QFC_NODE_TRUSTED_PROXIES must be addresses"):
        trusted_proxies()


def test_a_body_that_the_disk_cannot_take_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qfc_node.serving.requests.RESERVE_BYTES", 2**62)
    request = Request(adjustments())
    head = b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Token a\r\nContent-Length: 2000000\r\n\r\n"
    assert request.received(head) == len(head)
    status, headers, body = request.error.to_response()
    assert status.startswith("503 ")
    assert ("Retry-After", "5") in headers
    assert json.loads(body)["code"] == "status_not_ok"


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"Content-Length: 65535\r\n", ""), (b"Content-Length: 65536\r\n", "401 Unauthorized")],
    ids=["in memory", "on the disk"],
)
def test_nobody_gets_room_on_the_disk(head: bytes, status: str) -> None:
    request = Request(adjustments())
    request.received(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
    assert (request.error.to_response()[0] if request.error else "") == status
    assert not request.is_held


@pytest.mark.parametrize("length", [b"Content-Length: 65536", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("credentials", [b"Authorization: Token a", b"Cookie: sessionid=a"])
def test_a_large_body_waits_until_its_sender_is_known(length: bytes, credentials: bytes) -> None:
    request = Request(adjustments())
    lines = [b"POST / HTTP/1.1", b"Host: x", b"Expect: 100-continue", length, credentials, b"", b""]
    request.received(b"\r\n".join(lines))
    assert (request.is_held, request.expect_continue, request.completed) == (True, False, False)
    waited_since = request.headers_done
    request.go_on()
    assert (request.is_held, request.expect_continue) == (False, True)
    assert waited_since is not None and request.headers_done is not None and request.headers_done > waited_since


def test_a_caller_is_remembered_for_a_while_and_only_if_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(authorization: str, _cookie: str) -> bool:
        asked.append(authorization)
        if authorization == "broken":
            raise ConnectionError
        return authorization == "known"

    who = Callers(look_up)
    answers = [who.refusal({"AUTHORIZATION": name}) for name in ("known", "unknown", "broken")]
    assert [answer and answer.to_response()[0][:3] for answer in answers] == [None, "401", "503"]
    remembered = [who.remembers({"AUTHORIZATION": name}) for name in ("known", "unknown", "broken")]
    assert (asked, remembered) == (["known", "unknown", "broken"], [True, False, False])
    assert not who.remembers({"COOKIE": "known"})
    monkeypatch.setattr(callers, "monotonic", lambda: time.monotonic() + callers.REMEMBERED_S)
    assert not who.remembers({"AUTHORIZATION": "known"})


def test_memory_is_given_back_once_after_work(monkeypatch: pytest.MonkeyPatch) -> None:
    server.trim_memory()
    given: list[float] = []
    monkeypatch.setattr(server, "trim_memory", lambda: given.append(moment))
    one = object.__new__(Server)
    one.has_worked, one.next_give_back, one.active_channels = True, 0.0, {}
    for moment, has_worked, is_busy in ((5, True, True), (6, True, False), (7, True, False), (30, False, False),
                                        (31, True, False)):  # fmt: skip
        one.has_worked = has_worked
        one.active_channels = {1: SimpleNamespace(requests=["a"] if is_busy else [])}
        one.give_back(moment)
    assert given == [6, 31]


PIECE = b"10000\r\n" + bytes(0x10000) + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


def pieces_until_refused(head: bytes, at_most: int) -> tuple[int, str]:
    """Send a chunked body; return after how many pieces of 64 kB it was refused, and the status."""
    with closing(Request(adjustments())) as request:
        request.received(head + b"\r\n")
        for sent in range(1, at_most + 1):
            request.received(PIECE)
            if request.error:
                return sent, request.error.to_response()[0]
    return at_most, ""


def test_a_chunked_body_of_nobody_ends_where_a_known_length_would() -> None:
    assert pieces_until_refused(CHUNKED, 40) == (1, "401 Unauthorized")
    assert pieces_until_refused(CHUNKED + b"Authorization: Token a\r\n", 40) == (40, "")


def test_a_body_ends_when_the_disk_becomes_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qfc_node.serving.requests.RESERVE_BYTES", 2**62)
    monkeypatch.setattr("qfc_node.serving.requests.LOOK_BYTES", 1_000_000)
    assert pieces_until_refused(CHUNKED + b"Authorization: Token a\r\n", 40) == (16, "503 Service Unavailable")


def test_a_part_of_a_file_is_a_file() -> None:
    part = FilePart(io.BytesIO(b"0123456789"), 2, 7)
    assert (part.read(), part.tell()) == (b"23456", 5)
    assert (part.seek(0, 2), part.seek(1), part.read(2), part.read(100)) == (5, 1, b"34", b"56")


class Stream(io.BytesIO):
    """A stream of a store elsewhere."""

    def seekable(self) -> bool:
        return False


def test_an_answer_of_a_store_elsewhere_has_room_on_the_disk_or_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size, promises = 3_000_000, Promises()
    monkeypatch.setattr(outgoing, "free_bytes", lambda: outgoing.RESERVE_BYTES + 2 * size)
    first, second = (Outgoing(Stream(bytes(size)), 0, size, promises) for _ in range(2))
    with pytest.raises(NoRoomError):
        Outgoing(Stream(), 0, size, promises)
    assert Outgoing(Stream(b"abcdef"), 2, 5, promises).read() == b"cde"  # small ones need none
    second.close()
    assert len(first.read(size - 10)) == size - 10
    with Outgoing(Stream(bytes(size)), 10, size, promises) as third:
        assert len(third.read()) == size - 10
    assert (len(first.read()), first.read()) == (10, b"")


def test_an_answer_ends_when_others_have_filled_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 3_000_000
    monkeypatch.setattr(outgoing, "LOOK_BYTES", 1_000_000)
    answer = Outgoing(Stream(bytes(size)), 0, size, Promises())
    assert len(answer.read(1_500_000)) == 1_500_000
    monkeypatch.setattr(outgoing, "free_bytes", lambda: 0)
    with pytest.raises(OSError, match="No space left"):
        answer.read(1)
