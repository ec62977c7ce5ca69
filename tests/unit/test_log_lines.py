"""Parsed log lines of a deployment's services: application, official workers, PostgreSQL, nginx."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qfc.drivers.log_lines import parse

JOB = "67a6f10d-3bb5-4b8e-8c57-92760d5b88c8"
REQUEST = {
    "ts": "2026-11-23T14:16:29.417+00:00",
    "ip": "172.19.0.1",
    "method": "GET",
    "status": 200,
    "resp_time": 0.192,
    "resp_body_size": 12537,
    "uri": "/api/v1/projects/",
    "user_agent": "sdk|py|bench",
    "upstream_response_time": "0.190",
    "source": "nginx",
}


def text(line: str) -> tuple[str, str]:
    parsed = parse("nginx", "nginx-1", line)
    return parsed.level, parsed.text


def request(**values: object) -> tuple[str, str]:
    return text(json.dumps({**REQUEST, **values}))


def test_a_line_of_the_application() -> None:
    line = (
        '{"status_code":403,"request_id":"none","ts":"2026-11-23T13:56:52.106325","level":"WARNING",'
        '"name":"django.request","message":"Forbidden: /api/v1/files/","filename":"log.py","lineno":241,"source":"app"}'
    )
    parsed = parse("app", "app-1", line)
    assert (parsed.service, parsed.instance) == ("app", "app-1")
    assert (parsed.time, parsed.level, parsed.text, parsed.job_id) == (
        None,
        "WARNING",
        "Forbidden: /api/v1/files/",
        None,
    )


def test_an_error_of_the_application_has_its_trace() -> None:
    assert text('{"level":"ERROR","message":"No","exc_info":"Traceback\\n  File"}') == (
        "ERROR",
        "No\nTraceback\n  File",
    )


def test_a_moment_with_a_time_zone_is_taken_and_one_without_could_be_any() -> None:
    moments = [parse("app", "app-1", json.dumps({"message": "m", "ts": ts})).time for ts in ("2026-11-23T14:16:29", "")]
    assert moments == [None, None]
    with_zone = parse("app", "app-1", '{"message": "m", "ts": "2026-11-23T15:16:29.5+01:00"}').time
    assert with_zone == datetime(2026, 11, 23, 15, 16, 29, 500000, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("line", "job"),
    [
        (f'{{"message":"Dequeued job {JOB}, run!"}}', JOB),
        (f'{{"message":"m","job_id":"{JOB}"}}', JOB),
        (f'{{"message":"Job ({JOB}) is over"}}', JOB),
        (f"Cancelled job {JOB}.", JOB),
        (f"Saving project {JOB} of alice", None),
        ("Dequeued job 67a6f10d, run!", None),
        ('{"message":"m","job_id":null}', None),
    ],
)
def test_a_job_is_found_in_a_sentence(line: str, job: str | None) -> None:
    assert parse("worker_wrapper", "worker_wrapper-1", line).job_id == job


def test_a_request_is_read_as_people_write_it() -> None:
    assert request() == (
        "INFO",
        "GET 200 /api/v1/projects/ 0.192 s (app 0.190 s) 12537 bytes 172.19.0.1 sdk|py|bench",
    )
    parsed = parse("nginx", "nginx-1", json.dumps(REQUEST))
    assert parsed.time == datetime(2026, 11, 23, 14, 16, 29, 417000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "INFO"), (302, "INFO"), (399, "INFO"), (404, "WARNING"), (499, "WARNING"), (502, "ERROR")],
)
def test_the_level_of_a_request_is_that_of_its_status(status: int, level: str) -> None:
    assert request(status=status)[0] == level


@pytest.mark.parametrize("upstream", ["", "-", None])
def test_a_request_that_never_reached_the_application(upstream: str | None) -> None:
    values = {"upstream_response_time": upstream, "user_agent": "", "resp_body_size": 0, "status": 503}
    assert request(**values) == ("ERROR", "GET 503 /api/v1/projects/ 0.192 s 0 bytes 172.19.0.1")


def test_a_broken_request_lacks_what_it_lacks() -> None:
    assert text('{"uri": "", "status": "400", "method": ""}') == ("WARNING", "400 0.000 s 0 bytes")


@pytest.mark.parametrize(
    ("line", "level", "said"),
    [
        (
            "2026/11/23 14:16:23 [error] 17#17: *48 recv() failed (104: Connection reset by peer), client: 172.19.0.1",
            "ERROR",
            "*48 recv() failed (104: Connection reset by peer), client: 172.19.0.1",
        ),
        ("2026/11/23 14:16:23 [notice] 1#1: using epoll", "NOTICE", "using epoll"),
        ("2026/11/23 14:16:23 [emerg] 1#1: host not found in upstream", "EMERG", "host not found in upstream"),
    ],
)
def test_nginx_errors_have_no_moment_that_could_be_trusted(line: str, level: str, said: str) -> None:
    parsed = parse("nginx", "nginx-1", line)
    assert (parsed.time, parsed.level, parsed.text) == (None, level, said)


@pytest.mark.parametrize(
    ("line", "level", "said"),
    [
        ("2026-11-23 14:16:23.001 UTC [88] ERROR:  relation does not exist", "ERROR", "relation does not exist"),
        ("2026-11-23 14:16:23.001 UTC [88] DEBUG1:  fine", "DEBUG1", "fine"),
        ("2026-11-23 14:16:23.001 CET [88] LOG:  where?", "", "2026-11-23 14:16:23.001 CET [88] LOG:  where?"),
        ("Waiting for postgres...", "", "Waiting for postgres..."),
    ],
)
def test_lines_of_others(line: str, level: str, said: str) -> None:
    assert text(line) == (level, said)


@pytest.mark.parametrize(
    "line",
    [
        '{"message": "cut o',
        '{"ts": "yesterday", "message": "m"}',
        '{"uri": "/", "status": "many"}',
        '{"uri": "/", "status": 200, "resp_time": "-"}',
    ],
)
def test_what_is_not_understood_is_shown_as_it_is(line: str) -> None:
    assert text(line) == ("", line)


def test_json_without_a_message_is_shown_as_it_is() -> None:
    assert text('{"level": "INFO", "event": "x"}') == ("INFO", '{"level": "INFO", "event": "x"}')


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())
keys = st.sampled_from(["ts", "uri", "status", "message", "level", "job_id", "exc_info", "resp_time"])


@given(st.text(max_size=40) | st.dictionaries(keys, values).map(json.dumps))
def test_every_line_is_shown(line: str) -> None:
    parsed = parse("app", "app-1", line)
    assert isinstance(parsed.text, str)
    assert parsed.time is None or parsed.time.tzinfo is not None
