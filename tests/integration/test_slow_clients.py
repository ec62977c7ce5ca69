"""Clients that are slow, silent or too many cost no thread: others are served as before.

CI runs a short form; the long one holds 200 slow connections at a time: QFC_TEST_SLOW=200.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from node import Node
from qfc.drivers.postgres_server import Endpoint

PASSWORD = "correct-horse-battery"
#: Slow connections at a time; more than the node has threads.
SLOW = int(os.environ.get("QFC_TEST_SLOW", "32"))
OF_A_KIND = 16
#: Clients of their own address, which no proxy has.
FOREIGN = "127.0.0.9"


@pytest.fixture(scope="module")
def node(module_database: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with short patience; 127.0.0.1 is the only proxy."""
    settings = {
        "QFC_NODE_IDLE_S": "3",
        "QFC_NODE_HEADERS_S": "3",
        "QFC_NODE_STALL_S": "3",
        "QFC_NODE_CONNECTIONS": "300",
        "QFC_NODE_CONNECTIONS_PER_ADDRESS": "250",
        "QFC_NODE_TRUSTED_PROXIES": "127.0.0.1",
    }
    with Node(module_database, tmp_path_factory.mktemp("node"), **settings) as node:
        node.start_app()
        node.create_user("alice")
        yield node


@pytest.fixture(scope="module")
def client(node: Node) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=node.url, timeout=30) as http:
        token = http.post("auth/login/", json={"username": "alice", "password": PASSWORD}).json()["token"]
        http.headers["Authorization"] = f"Token {token}"
        yield http


@pytest.fixture(scope="module")
def project(client: httpx.Client) -> str:
    made: str = client.post("projects/", json={"name": "survey", "owner": "alice"}).json()["id"]
    client.post(f"files/{made}/large.bin/", files={"file": bytes(20_000_000)}).raise_for_status()
    return made


def connect(node: Node, source: str = "127.0.0.1", receive: int = 0) -> socket.socket:
    made = socket.socket()
    if receive:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    made.bind((source, 0))
    made.settimeout(20)
    made.connect(("127.0.0.1", node.port))
    return made


HEAD = "POST /api/v1/auth/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = HEAD + "Content-Length: 5000\r\n\r\n{"


def begin(node: Node, kind: str, download: bytes) -> socket.socket:
    """Open a connection that is slow in its own way."""
    made = connect(node, receive=4096 if kind == "reader" else 0)
    first = {"headers": HEAD[:20].encode(), "silent": HEAD.encode(), "body": BODY.encode(), "stalled": BODY.encode()}
    made.sendall(first.get(kind, download if kind == "reader" else b"GET /api/v1/status/ HTTP/1.1\r\nHost: x\r\n\r\n"))
    return made


KINDS = ("headers", "silent", "body", "stalled", "reader", "idle")


@contextmanager
def slow_connections(node: Node, kind: str, count: int, download: bytes) -> Generator[list[socket.socket]]:
    """Keep connections of a kind open for the block; those that trickle send a byte now and then."""
    ended = threading.Event()
    with ExitStack() as stack:
        made = [stack.enter_context(begin(node, kind, download)) for _ in range(count)]
        trickle = threading.Thread(target=_trickle, args=(made, ended), daemon=True)
        if kind in {"headers", "body"}:
            trickle.start()
        try:
            yield made
        finally:
            ended.set()


def _trickle(made: list[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(0.5):
        for one in made:
            try:
                one.send(b"x")
            except OSError:
                continue


def request_of(client: httpx.Client, project: str) -> bytes:
    token = client.headers["Authorization"]
    path = f"/api/v1/files/{project}/large.bin/"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n".encode()


def served(client: httpx.Client, project: str) -> None:
    """An ordinary client's requests."""
    assert client.get("status/").status_code == 200
    assert client.post(f"files/{project}/a.txt/", files={"file": b"x" * 1000}).status_code == 201
    assert client.get(f"files/{project}/a.txt/").content == b"x" * 1000


def all_served(client: httpx.Client, node: Node, project: str, count: int = 20) -> None:
    """Twenty clients at once, each with a connection of its own."""
    failures: list[str] = []

    def one() -> None:
        try:
            with httpx.Client(base_url=node.url, headers=client.headers, timeout=15) as http:
                served(http, project)
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("kind", KINDS)
def test_slow_connections_of_a_kind_hold_up_nobody(node: Node, client: httpx.Client, project: str, kind: str) -> None:
    with slow_connections(node, kind, OF_A_KIND, request_of(client, project)) as slow:
        all_served(client, node, project, 4)
        for one in slow:
            assert closes(one, seconds=15), f"a connection that is slow ({kind}) stays open"


def closes(connection: socket.socket, *, seconds: float) -> bool:
    """Whether the server closes the connection in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            if not connection.recv(2**20):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def test_many_slow_connections_of_every_kind_hold_up_nobody(node: Node, client: httpx.Client, project: str) -> None:
    with ExitStack() as stack:
        for kind in KINDS:
            count = max(OF_A_KIND // 4, SLOW // len(KINDS))
            stack.enter_context(slow_connections(node, kind, count, request_of(client, project)))
        all_served(client, node, project)


def test_an_address_has_a_limit_and_a_proxy_has_none(node: Node) -> None:
    with ExitStack() as stack:
        for _ in range(250):
            stack.enter_context(connect(node, FOREIGN))
        time.sleep(0.3)
        with connect(node, FOREIGN) as one_more:
            assert one_more.recv(100).startswith(b"HTTP/1.1 429 ")
        assert httpx.get(f"{node.url}status/", timeout=10).status_code == 200


def test_new_connections_displace_those_that_wait_longest(node: Node, client: httpx.Client, project: str) -> None:
    with ExitStack() as stack:
        for _ in range(320):
            stack.enter_context(connect(node))
        served(client, project)


def test_a_chunked_upload_is_accepted(client: httpx.Client, project: str) -> None:
    parts = [b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n', b"abc", b"\r\n--b--\r\n"]
    head = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post(f"files/{project}/chunked.txt/", content=iter(parts), headers=head)
    assert (answer.status_code, client.get(f"files/{project}/chunked.txt/").content) == (201, b"abc")


def test_a_large_body_without_a_token_is_refused_and_the_client_reads_why(node: Node, project: str) -> None:
    answer = httpx.post(f"{node.url}files/{project}/a.bin/", files={"file": bytes(30_000_000)}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_chunked_body_without_a_token_is_refused_on_its_way(node: Node, project: str) -> None:
    parts = (bytes(100_000) for _ in range(30))
    answer = httpx.post(f"{node.url}files/{project}/a.bin/", content=parts, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@contextmanager
def most_spooled(node: Node) -> Generator[list[int]]:
    """Collect how much of the disk the node's spool has; the last number is the most."""
    ended, found = threading.Event(), [0]
    processes = [path for path in Path("/proc").glob("[0-9]*") if group_of(path) == node.app_pid]

    def watch() -> None:
        while not ended.wait(0.02):
            found.append(max(found[-1], sum(map(spooled_by, processes))))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield found
    finally:
        ended.set()
        watching.join()


def group_of(process: Path) -> int:
    with suppress(OSError):
        return os.getpgid(int(process.name))
    return -1


def spooled_by(process: Path) -> int:
    """Bytes in the open files of a process that are in the staging folder; they have no name."""
    total = 0
    for file in (process / "fd").iterdir():
        with suppress(OSError):
            total += file.stat().st_size if "/staging/" in str(file.readlink()) else 0
    return total


@pytest.mark.parametrize(
    ("headers", "chunked", "code"),
    [
        ({}, False, "not_authenticated"),
        ({"Authorization": f"Token {'x' * 200}"}, False, "token_authentication_failed"),
        ({"Authorization": f"Token {'x' * 200}"}, True, "token_authentication_failed"),
        ({"Cookie": f"sessionid={'x' * 32}"}, False, "token_authentication_failed"),
    ],
    ids=["no token", "a made-up token", "a made-up token and no length", "a made-up session"],
)
def test_nobody_gets_the_disk(node: Node, project: str, headers: dict[str, str], chunked: bool, code: str) -> None:
    body = (bytes(1_000_000) for _ in range(200)) if chunked else bytes(200_000_000)
    with most_spooled(node) as most:
        answer = httpx.post(f"{node.url}files/{project}/a.bin/", content=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert most[-1] == 0


def test_somebody_gets_the_disk(node: Node, client: httpx.Client, project: str) -> None:
    with most_spooled(node) as most:
        client.post(f"files/{project}/b.bin/", files={"file": bytes(50_000_000)}).raise_for_status()
    assert most[-1] > 1_000_000


def test_a_large_form_of_the_admin_is_accepted(node: Node) -> None:
    node.create_user("boss", superuser=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{node.port}/admin/", follow_redirects=True, timeout=30) as browser:
        browser.get("login/")
        form = {"username": "boss", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("login/?next=/admin/", data=form).status_code == 200
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "note": "x" * 200_000}
        assert browser.post("logout/", data=form).status_code == 200
        assert browser.post("logout/", data=form).status_code == 401  # the session has ended; so has its room


def test_a_client_that_asks_first_sends_no_body_in_vain(node: Node, project: str) -> None:
    head = f"POST /api/v1/files/{project}/a.bin/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n"
    with connect(node) as asking:
        asking.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert asking.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(("token", "answer"), [("", b"HTTP/1.1 401 "), ("its own", b"HTTP/1.1 100 ")])
def test_a_client_that_asks_first_hears_whether_its_token_is_known(
    node: Node, client: httpx.Client, project: str, token: str, answer: bytes
) -> None:
    head = f"POST /api/v1/files/{project}/a.bin/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n"
    head += f"Authorization: {client.headers['Authorization'] if token else 'Token x'}\r\n"
    with connect(node) as asking:
        asking.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert asking.recv(1000).startswith(answer)


def test_headers_that_are_too_large_are_refused_as_json(node: Node) -> None:
    answer = httpx.get(f"{node.url}status/", headers={"X-Long": "x" * 70_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "validation_error")


def test_ranges_and_whole_files_arrive(client: httpx.Client, project: str) -> None:
    content = os.urandom(3_000_000)
    client.post(f"files/{project}/random.bin/", files={"file": content}).raise_for_status()
    part = client.get(f"files/{project}/random.bin/", headers={"Range": "bytes=1000-2000999"})
    assert (part.status_code, part.content) == (206, content[1000:2001000])
    assert client.get(f"files/{project}/random.bin/").content == content


def test_what_slow_clients_cost_is_in_the_log(node: Node) -> None:
    assert "Connections closed or refused" in node.log
