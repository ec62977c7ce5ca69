"""Messages reach people: by a real SMTP server through Apprise, a webhook, a command; they wait while they cannot."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ports import free_port
from qfc.drivers.monitoring.history import SqliteHistory
from qfc.drivers.monitoring.posts import routes
from qfc.errors import ConfigError, QfcError
from qfc.monitor.daemon import Daemon
from qfc.monitor.notify import ping
from qfc.monitor.sender import Sender
from qfc.monitor.watcher import Watcher
from qfc.operations.monitor.trial import trial
from qfc.stack.findings import Severity
from qfc.stack.monitor import Decision, Limits, Look, Message, State
from qfc.stack.ports.monitoring import Post
from twins.stack import memory_stack

MESSAGE = Message(
    "local: NEW The disk is full", "NEW A15 (critical): The disk is full\nTo do: free some", Severity.CRITICAL, ("A15",)
)
SECRET = "t0ken-in-the-address"


class Received(HTTPServer):
    """A webhook that keeps what it gets, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Received

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def webhook() -> Generator[Received]:
    server = Received()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def addresses(folder: Path, *lines: str) -> Path:
    path = folder / "notify"
    path.write_text("# where messages go\n" + "\n".join(lines) + "\n")
    return path


def test_a_webhook_gets_the_message_as_json(tmp_path: Path) -> None:
    with webhook() as server:
        (route,) = routes(addresses(tmp_path, server.url), None)
        route.send(MESSAGE, {"host": "vm"})
    (got,) = server.got
    assert got["title"] == MESSAGE.title and got["body"] == MESSAGE.body
    assert (got["severity"], got["alerts"], got["host"]) == ("critical", ["A15"], "vm")


def test_an_error_of_a_webhook_does_not_tell_its_address(tmp_path: Path) -> None:
    with webhook() as server:
        server.status = 500
        (route,) = routes(addresses(tmp_path, server.url), None)
        with pytest.raises(QfcError, match="answered 500") as caught:
            route.send(MESSAGE, {})
    assert SECRET not in caught.value.message + caught.value.hint + route.name
    with pytest.raises(QfcError, match="does not answer") as caught:
        route.send(MESSAGE, {})
    assert SECRET not in caught.value.message


def test_what_answers_no_http_or_has_no_valid_address_is_an_error_of_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):
                accepted, _ = server.accept()
                with accepted:
                    accepted.recv(65536)
                    accepted.sendall(b"SSH-2.0-no-http\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}"
        with pytest.raises(QfcError, match="BadStatusLine"):
            routes(addresses(tmp_path, url), None)[0].send(MESSAGE, {})
        assert not ping(url)
        thread.join()
    with pytest.raises(QfcError, match="InvalidURL") as caught:
        routes(addresses(tmp_path, f"http://127.0.0.1/{SECRET} x"), None)[0].send(MESSAGE, {})
    assert SECRET not in caught.value.message


class Broken(Post):
    """A route with a bug."""

    name = "broken"

    def send(self, message: Message, about: Mapping[str, str]) -> None:
        raise RuntimeError(SECRET, message, about)


def test_a_bug_in_one_route_keeps_no_message_from_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = memory_stack("one"), memory_stack("other")
    history = other.monitoring.history()
    history.keep(Look(other.clock.now()), Decision(State(), ("x.",), message=MESSAGE))
    watchers = [Watcher(ports, Limits(), say=lambda *_: None) for ports in (one, other)]
    with webhook() as server:
        sender = Sender(watchers, [Broken(), *routes(addresses(tmp_path, server.url), None)], threading.Event())
        assert sender.turn()
        assert [got["title"] for got in server.got] == [MESSAGE.title]
        assert SECRET not in caplog.text and "broken: a bug of the monitor, RuntimeError" in caplog.text
    assert [letter.tries for letter in history.letters("broken", other.clock.now() + timedelta(hours=1))] == [1]
    history.close()


def test_a_history_that_fails_keeps_no_message_of_other_stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = memory_stack("one"), memory_stack("other")
    history = other.monitoring.history()
    history.keep(Look(other.clock.now()), Decision(State(), ("x.",), message=MESSAGE))
    monkeypatch.setattr(one.monitoring, "history", lambda: 1 / 0)
    with webhook() as server:
        watchers = [Watcher(ports, Limits(), say=lambda *_: None) for ports in (one, other)]
        sender = Sender(watchers, routes(addresses(tmp_path, server.url), None), threading.Event())
        assert sender.turn()
    assert [got["title"] for got in server.got] == [MESSAGE.title]
    history.close()


def test_the_sender_outlives_a_turn_that_failed_and_does_not_count_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, stop, news = memory_stack(), threading.Event(), threading.Event()
    sender = Sender([Watcher(ports, Limits(), say=lambda *_: None)], [], news)
    news.set()
    began, turns = sender.turned_s, list[float]()

    def turn() -> bool:
        ports.clock.sleep(100)
        turns.append(sender.turned_s)
        news.set()
        if len(turns) == 1:
            raise RuntimeError("a bug")
        stop.set()
        return False

    monkeypatch.setattr(sender, "turn", turn)
    sender.run(stop)
    assert turns == [began, began] and sender.turned_s == began + 200


def test_a_sender_that_hangs_is_no_monitor_that_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("qfc.monitor.daemon.tell_systemd", lambda *lines: told.extend(lines))
    daemon = Daemon([memory_stack()], Limits(), [], say=lambda *_: None)
    for one in (*daemon._watchers, daemon._sender):
        one.turned_s = time.monotonic()
    daemon._live()
    assert told[0] == "WATCHDOG=1"
    daemon._sender.turned_s -= 601
    told.clear()
    daemon._live()
    assert told == []


def test_a_command_gets_the_text_as_input_and_the_rest_in_variables(tmp_path: Path) -> None:
    program, seen = tmp_path / "page-me", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\n{{ echo "$QFC_TITLE|$QFC_SEVERITY|$QFC_ALERTS|$QFC_HOST"; cat; }} >{seen}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (route,) = routes(None, program)
    route.send(MESSAGE, {"host": "vm"})
    assert seen.read_text() == f"{MESSAGE.title}|critical|A15|vm\n{MESSAGE.body}"
    program.write_text("#!/bin/sh\nexit 7\n")
    with pytest.raises(QfcError, match="exit code 7"):
        route.send(MESSAGE, {})


def test_apprise_sends_an_e_mail_to_a_real_server(tmp_path: Path) -> None:
    class Keeper:
        envelopes: list[Any] = []

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            self.envelopes.append(envelope)
            return "250 OK"

    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        line = f"mailto://127.0.0.1:{controller.port}?from=qfc@example.org&to=ops@example.org&mode=insecure"
        (route,) = routes(addresses(tmp_path, line), None)
        assert route.name.startswith("mailto-")
        route.send(MESSAGE, {})
    finally:
        controller.stop()
    (envelope,) = keeper.envelopes
    letter = message_from_bytes(envelope.content)
    assert envelope.rcpt_tos == ["ops@example.org"]
    assert "The disk is full" in str(letter["subject"])


def test_an_address_that_nobody_knows_is_refused_and_not_told(tmp_path: Path) -> None:
    (route,) = routes(addresses(tmp_path, f"nonsense://{SECRET}"), None)
    with pytest.raises(QfcError) as caught:
        route.send(MESSAGE, {})
    assert SECRET not in caught.value.message + caught.value.hint
    with pytest.raises(ConfigError, match="has no ://"):
        routes(addresses(tmp_path, "just words"), None)
    with pytest.raises(ConfigError, match="cannot be read"):
        routes(tmp_path / "missing", None)


def test_what_cannot_be_sent_waits_and_arrives_as_one_message_later(tmp_path: Path) -> None:
    ports = memory_stack()
    history = ports.monitoring.history()
    with webhook() as server:
        (route,) = routes(addresses(tmp_path, server.url), None)
        sender = Sender([Watcher(ports, Limits(), say=lambda *_: None)], [route], threading.Event())
        assert not sender.turn()
        for title in ("first", "second"):
            message = Message(title, "text", Severity.WARNING)
            history.keep(Look(ports.clock.now()), Decision(State(), ("x.",), message=message))
        server.status = 503
        assert sender.turn()
        assert "answered 503" in sender.failed
        assert not sender.turn()  # less than a minute later
        server.status = 200
        ports.clock.sleep(61)
        assert sender.turn()
        ports.clock.sleep(3600)
        assert not sender.turn()
    assert server.got[-1]["title"] == "2 messages of the monitor"
    assert "first" in server.got[-1]["body"] and "second" in server.got[-1]["body"]
    history.close()


def test_what_the_disk_had_no_room_for_is_sent_from_memory(tmp_path: Path) -> None:
    ports = memory_stack()
    with webhook() as server:
        watcher = Watcher(ports, Limits(), say=lambda *_: None)
        watcher.unsaved.append(MESSAGE)
        sender = Sender([watcher], routes(addresses(tmp_path, server.url), None), threading.Event())
        assert sender.turn()
    assert [one["title"] for one in server.got] == [MESSAGE.title]


def test_what_the_disk_had_no_room_for_waits_in_memory_for_each_route(tmp_path: Path) -> None:
    ports = memory_stack()
    watcher = Watcher(ports, Limits(), say=lambda *_: None)
    with webhook() as good, webhook() as bad:
        bad.status = 503
        sender = Sender([watcher], routes(addresses(tmp_path, good.url, bad.url), None), threading.Event())
        watcher.unsaved.append(MESSAGE)
        assert sender.turn()
        bad.status = 200
        ports.clock.sleep(61)
        assert sender.turn()
        ports.clock.sleep(61)
        assert not sender.turn()
        assert [one["title"] for one in good.got] == [MESSAGE.title]
        assert [one["title"] for one in bad.got] == [MESSAGE.title] * 2
        bad.status = 503
        watcher.unsaved += [MESSAGE] * 120
        assert sender.turn()
        bad.status = 200
        ports.clock.sleep(61)
        assert sender.turn()
        assert bad.got[-1]["title"] == "100 messages of the monitor"


def test_what_arrived_and_could_not_be_marked_so_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = memory_stack()
    history = ports.monitoring.history()
    assert not history.letters("any", ports.clock.now())

    def full(*_: object, **__: object) -> None:
        raise QfcError("The disk is full.")

    with webhook() as server:
        sent_by = routes(addresses(tmp_path, server.url), None)
        sender = Sender([Watcher(ports, Limits(), say=lambda *_: None)], sent_by, threading.Event())
        assert not sender.turn()
        history.keep(Look(ports.clock.now()), Decision(State(), ("x.",), message=MESSAGE))
        with monkeypatch.context() as broken:
            broken.setattr(SqliteHistory, "sent", full)
            assert sender.turn()
            ports.clock.sleep(61)
            assert not sender.turn()
        assert history.letters(sent_by[0].name, ports.clock.now())
        assert not sender.turn()
        assert not history.letters(sent_by[0].name, ports.clock.now() + timedelta(days=1))
    assert [one["title"] for one in server.got] == [MESSAGE.title]
    assert not sender._delivered
    history.close()


def test_every_route_is_tried_and_the_result_of_each_is_told(tmp_path: Path) -> None:
    with webhook() as good, webhook() as bad:
        bad.status = 404
        result = trial(routes(addresses(tmp_path, good.url, bad.url), None), host="vm")
        assert [one.ok for one in result.routes] == [True, False]
        assert not result.ok and SECRET not in str(result)
        assert trial(routes(addresses(tmp_path, good.url), None), host="vm", dry_run=True).ok
    with pytest.raises(ConfigError, match="No route"):
        trial((), host="vm")


def test_the_address_that_expects_us_is_requested() -> None:
    with webhook() as server:
        assert ping(server.url)
        server.status = 500
        assert not ping(server.url)
        assert server.asked == [f"/{SECRET}"] * 2
    assert not ping(server.url)
    assert not ping("file:///etc/passwd")


def test_times_of_letters_are_kept(tmp_path: Path) -> None:
    ports = memory_stack()
    history = ports.monitoring.history()
    at = ports.clock.now() + timedelta(seconds=5)
    history.keep(Look(at), Decision(State(), ("x.",), message=MESSAGE))
    (letter,) = history.letters("any", at)
    assert letter.at == at and letter.tries == 0
    history.close()
