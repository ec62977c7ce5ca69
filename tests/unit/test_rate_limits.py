"""Limits on synchronisations: what is set, how nginx is told, and what its log says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks_world import found, healthy
from qfc.drivers.deployment.traffic import INCLUDED, NginxTraffic
from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.engine import Engine
from qfc.drivers.rate_limits.nginx import ANSWER, UNREADABLE, ZONES, NginxRateLimits
from qfc.errors import NotFoundError, RefusedError, UsageError
from qfc.operations.guard import Options
from qfc.operations.ratelimit import (
    ratelimit_disable,
    ratelimit_enable,
    ratelimit_status,
    ratelimit_throttle,
    ratelimit_unthrottle,
)
from qfc.stack import nginx_limits
from qfc.stack.findings import Result
from qfc.stack.model import LogLine, Project
from qfc.stack.rate_limits import (
    RateLimits,
    RefusedSyncs,
    Throttle,
    from_document,
    parse_rate,
    sentences,
    to_document,
)
from twins import MemoryClock, MemoryHost, MemoryPorts, memory_stack

ONE, TWO = "9c7e26a4-584b-483e-a24e-5b219d7437a3", "0a7e26a4-584b-483e-a24e-5b219d7437a4"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PASSWORD = "0f1e2d3c"
MOMENTS = st.datetimes(datetime(2002, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
RATES = st.integers(1, 10_000)
LIMITS = st.builds(
    RateLimits,
    st.none() | RATES,
    st.none() | RATES,
    st.lists(st.builds(Throttle, st.uuids().map(str), RATES, st.none() | MOMENTS), max_size=3).map(tuple),
)


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("3/min", 3), (" 10/m ", 10), ("1/minute", 1)])
def test_a_rate_is_read(text: str, number: int) -> None:
    assert parse_rate(text) == number


@pytest.mark.parametrize("text", ["", "0", "-1/min", "3/h", "10001", "1.5/min", "many"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        parse_rate(text)


@given(LIMITS)
def test_limits_survive_the_journey_to_the_node_and_to_nginx(limits: RateLimits) -> None:
    assert from_document(to_document(limits)) == limits
    assert nginx_limits.read(nginx_limits.zones(limits, PASSWORD)) == (limits, PASSWORD)


@given(MOMENTS, st.integers(-(10**8), 10**8))
def test_nginx_itself_ends_a_limit(moment: datetime, seconds: int) -> None:
    """The pattern of nginx's clock fits each time before the moment, and no other."""
    at = int(moment.timestamp())
    time = max(10**9, min(at + seconds, 10**10 - 1))
    assert bool(re.fullmatch(nginx_limits.before(moment), str(time))) == (time < at)


def test_each_limit_has_a_zone_and_the_burst_of_a_minute() -> None:
    throttle = Throttle(ONE, 1, NOW)
    text = nginx_limits.zones(RateLimits(10, 5, (throttle,)), PASSWORD)
    assert "zone=qfc_sync:64k rate=10r/m;\nlimit_req zone=qfc_sync burst=9 nodelay;" in text
    assert "zone=qfc_sync_project:1m rate=5r/m;\nlimit_req zone=qfc_sync_project burst=4 nodelay;" in text
    assert "zone=qfc_throttle_0:64k rate=1r/m;\nlimit_req zone=qfc_throttle_0;" in text
    assert f'"1;{ONE}" $qfc_sync_project;' in text
    assert "limit_req zone=qfc_sync " not in nginx_limits.zones(RateLimits(None, 5), PASSWORD)


def test_only_requests_with_credentials_are_counted() -> None:
    """Nobody can take the places of devices without any: nginx counts before the application asks who it is."""
    text = nginx_limits.zones(RateLimits(10, 5), PASSWORD)
    assert 'map "$http_authorization$cookie_sessionid" $qfc_is_nobody {\n  default 0;\n  "" 1;\n}' in text
    counting = [line.split(";")[0] for line in text.splitlines() if ";POST;" in line]
    assert counting == ['  "~^00'] * 3
    assert text.count('map "$qfc_is_probe$qfc_is_nobody;$request_method;$uri') == 2


@pytest.mark.parametrize("password", ["", 'a"b', "a b", "a;b", "a\nb"])
def test_a_password_cannot_leave_its_quotes(password: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        nginx_limits.zones(RateLimits(1), password)


@pytest.mark.parametrize(
    "text", ["", "map $x $y {}", "# limits {}", "# limits []", '# limits {"limits": 3}', "# limits x"]
)
def test_a_file_of_somebody_else_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        nginx_limits.read(text)


def line(text: str, minutes: int = 0) -> LogLine:
    return LogLine("nginx", "nginx-1", NOW + timedelta(minutes=minutes), "WARNING", text)


def test_what_nginx_refused_is_counted_by_project() -> None:
    lines = [
        line(f"POST 429 /api/v1/deltas/{ONE}/ 0.000 s 116 bytes 172.18.0.1 qfield|4.2"),
        line(f"POST 429 /api/v1/deltas/apply/{ONE}/ 0.000 s", 3),
        line(f"POST 429 /api/v1/files/{TWO}/survey.qgs/ 0.000 s", 1),
        line("POST 429 /api/v1/jobs/ 0.000 s", 2),
        line("POST 429 /api/v1/jobs/ 0.100 s (app 0.100 s) 30 bytes"),
        line(f"POST 201 /api/v1/deltas/{ONE}/ 0.200 s (app 0.200 s)"),
        line(f"GET 429 /api/v1/deltas/{ONE}/ 0.000 s"),
        line("POST 429 /api/v1/auth/login/ 0.000 s"),
    ]
    assert nginx_limits.refused(lines) == (
        RefusedSyncs(ONE, 2, NOW + timedelta(minutes=3)),
        RefusedSyncs(TWO, 1, NOW + timedelta(minutes=1)),
        RefusedSyncs(None, 1, NOW + timedelta(minutes=2)),
    )


def stack() -> MemoryPorts:
    ports = memory_stack()
    ports.directory.project_rows[ONE] = Project(ONE, "survey", "anna", "ok", 1, 0, None, None)
    return ports


def test_limits_are_set_and_ended() -> None:
    ports = stack()
    ratelimit_throttle(ports, "anna/survey", Options(), rate="2/min", lasting=timedelta(hours=2))
    ratelimit_enable(ports, Options(), all_per_minute=10, project_per_minute=5)
    throttle = Throttle(ONE, 2, ports.clock.now() + timedelta(hours=2))
    assert ports.rate_limits.limits == RateLimits(10, 5, (throttle,))
    shown = ratelimit_status(ports)
    assert (shown.enabled, shown.in_force, shown.all_per_minute) == (True, True, 10)
    assert [(one.project, one.per_minute) for one in shown.throttled] == [("anna/survey", 2)]
    ratelimit_throttle(ports, ONE, Options(), rate="1", lasting=None)
    assert ports.rate_limits.limits.throttled == (Throttle(ONE, 1),)
    ratelimit_unthrottle(ports, "anna/survey", Options())
    assert ports.rate_limits.limits == RateLimits(10, 5)
    ratelimit_disable(ports, Options())
    assert ports.rate_limits.limits.is_empty
    commands = [entry.command for entry in ports.audit.entries(limit=9)]
    assert commands.count("ratelimit throttle") == 2
    assert {"ratelimit enable", "ratelimit unthrottle", "ratelimit disable"} <= set(commands)


def test_a_dry_run_changes_nothing() -> None:
    ports = stack()
    planned = ratelimit_enable(ports, Options(dry_run=True), all_per_minute=10, project_per_minute=5)
    assert planned.steps == (" ".join(sentences(RateLimits(10, 5))),)
    assert ports.rate_limits.limits.is_empty
    assert not ports.audit.entries(limit=9)


def test_limits_that_have_ended_are_neither_shown_nor_kept() -> None:
    ports = stack()
    ratelimit_throttle(ports, ONE, Options(), rate="1", lasting=timedelta(minutes=5))
    ports.clock.sleep(301)
    assert not ratelimit_status(ports).enabled
    ratelimit_enable(ports, Options(), all_per_minute=3, project_per_minute=3)
    assert ports.rate_limits.limits == RateLimits(3, 3)


def test_what_cannot_be_done_is_refused() -> None:
    ports = stack()
    with pytest.raises(UsageError, match="not a rate"):
        ratelimit_throttle(ports, ONE, Options(), rate="fast", lasting=None)
    with pytest.raises(NotFoundError):
        ratelimit_throttle(ports, "anna/other", Options(), rate="1", lasting=None)
    with pytest.raises(RefusedError, match="no limit of its own"):
        ratelimit_unthrottle(ports, ONE, Options())
    ports.rate_limits.refuses = "nginx includes no folder"
    with pytest.raises(RefusedError, match="nginx includes no folder"):
        ratelimit_disable(ports, Options())


def test_refused_requests_are_shown_by_project() -> None:
    ports = stack()
    now = ports.clock.now()
    ports.rate_limits.counted = [RefusedSyncs(ONE, 7, now), RefusedSyncs(TWO, 2, now - timedelta(days=3))]
    (shown,) = ratelimit_status(ports).refused
    assert (shown.project, shown.refused) == ("anna/survey", 7)


@pytest.mark.parametrize(("reads", "mode"), [(0, 0o600), (UNREADABLE, 0o644), (1, 0o600)])
def test_only_its_owner_reads_the_password_unless_nginx_could_not(reads: int, mode: int) -> None:
    host, clock = MemoryHost(), MemoryClock()
    host.programs = {"docker": lambda argv, _: (reads if "[ -r" in " ".join(argv) else 0, "", "")}
    nginx = Container(
        "a1", "nginx-1", "", "", "running", 7, NOW, NOW, None, 0, False, 0, "", None, False, None, "",
        mounts={INCLUDED: "/opt/q/conf"},
    )  # fmt: skip
    engine = Engine(host)  # pyright: ignore[reportArgumentType]  (nothing is streamed)
    traffic = NginxTraffic(engine, clock, lambda: nginx)
    limits = NginxRateLimits(engine, clock, lambda: nginx, traffic, lambda *_: ())
    limits.apply(RateLimits(10, 5))
    content, kept = host.files[PurePosixPath("/opt/q/conf") / ZONES]
    assert limits.passes()["X-Qfc-Probe"].encode() in content
    assert kept == mode
    assert host.files[PurePosixPath("/opt/q/conf") / ANSWER][1] == 0o644


def test_limits_that_nginx_lost_are_found_and_loaded_again() -> None:
    ports, _ = healthy("compose")
    ports.rate_limits.apply(RateLimits(10, 5))
    assert not [one for one in found(ports).findings if one.id == "rate-limits" and one.result is Result.FOUND]
    ports.rate_limits.recreated = True
    fixed = {one.id: one.result for one in found(ports, fix=True).findings}
    assert fixed["rate-limits"] is Result.FIXED
    assert ports.rate_limits.in_force()


def test_limits_that_a_release_no_longer_includes_are_reported() -> None:
    ports, _ = healthy("compose")
    ports.rate_limits.refuses = "nginx includes no folder"
    assert "rate-limits" not in [one.id for one in found(ports).findings]
    ports.rate_limits.limits = RateLimits(10, 5)
    (finding,) = [one for one in found(ports).findings if one.id == "rate-limits"]
    assert "nothing can be limited: nginx includes no folder" in finding.evidence
