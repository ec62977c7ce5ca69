"""Limits on synchronisations at a real nginx, with a configuration like an official deployment's."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from engines_of_docker import DockerHost, require_engine
from ports import free_port
from qfc.drivers.clock import SystemClock
from qfc.drivers.deployment.traffic import INCLUDED, NginxTraffic
from qfc.drivers.docker.containers import Container
from qfc.drivers.docker.engine import Engine
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.log_lines import parse
from qfc.drivers.rate_limits.nginx import ANSWER, HOOK, ZONES, NginxRateLimits
from qfc.errors import CommandError
from qfc.stack.model import LogLine
from qfc.stack.rate_limits import RateLimits, Throttle

pytestmark = pytest.mark.docker
ONE, TWO, THREE = (str(uuid.uuid4()) for _ in range(3))
IMAGE = "nginx:stable"
NOW = datetime.now(UTC)
TOKEN = {"Authorization": "token abc"}
#: As in official deployments: error pages, the included folder, the API; and behind it an application that says yes.
CONFIGURATION = """
log_format lines escape=json '{"ts":"$time_iso8601","ip":"$remote_addr","method":"$request_method","status":$status,'
  '"resp_time":$request_time,"uri":"$request_uri","upstream_response_time":"$upstream_response_time"}';
server {
  listen 80;
  access_log /dev/stdout lines;
  client_max_body_size 10g;
  error_page 497 https://$host$request_uri;
  include config.d/*.conf;
  proxy_intercept_errors off;
  location ^~ /api/ { proxy_pass http://127.0.0.1:8000; }
  location / { try_files $uri @proxy_to_app; }
  location @proxy_to_app { error_page 404 =404 /pages/404.html; proxy_pass http://127.0.0.1:8000; }
}
server {
  listen 127.0.0.1:8000;
  access_log off;
  default_type application/json;
  location / { return 201 '{}'; }
  location /api/v1/auth/ { return 429 '{}'; }
}
"""


class Server:
    """nginx in a container, and the driver for it."""

    def __init__(self, engine: DockerHost, folder: Path) -> None:
        self.engine, self.folder, self.name = engine, folder / "config.d", f"qfctestlimits{uuid.uuid4().hex[:8]}"
        self.folder.mkdir()
        self.port = free_port()
        (folder / "default.conf").write_text(CONFIGURATION)
        self.start(folder)
        docker = Engine(LocalHost())
        traffic = NginxTraffic(docker, SystemClock(), self._container)
        self.limits = NginxRateLimits(docker, SystemClock(), self._container, traffic, self._lines)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, headers=TOKEN)

    def start(self, folder: Path) -> None:
        self.engine.docker(
            "run", "-d", "--name", self.name, "-p", f"127.0.0.1:{self.port}:80",
            "-v", f"{self.folder}:{INCLUDED}:ro", "-v", f"{folder / 'default.conf'}:/default.conf:ro",
            "--entrypoint", "sh", IMAGE, "-c",
            "rm -f /etc/nginx/conf.d/*; cp /default.conf /etc/nginx/conf.d/ && exec nginx -g 'daemon off;'",
        )  # fmt: skip
        self.await_answers()

    def await_answers(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/", trust_env=False)
                return
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(self.engine.docker("logs", self.name, check=False))

    def remove(self) -> None:
        self.engine.docker("rm", "-f", self.name, check=False)

    def push(self, path: str, times: int = 1, **headers: str) -> list[int]:
        return [self.http.post(path, content=b"x" * 9000, headers=headers).status_code for _ in range(times)]

    def in_nginx(self, *words: str) -> str:
        return self.engine.docker("exec", self.name, *words, check=False)

    def _container(self) -> Container:
        return Container(
            self.name, self.name, "", "", "running", 1, NOW, NOW, None, 0, False, 0, "", None, False, None, "",
            mounts={INCLUDED: str(self.folder)},
        )  # fmt: skip

    def _lines(self, service: str, since: datetime) -> Iterable[LogLine]:
        text = self.engine.docker("logs", "--since", since.isoformat(), self.name)
        return [parse(service, self.name, line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(require_engine(), tmp_path_factory.mktemp("nginx"))
    yield made
    made.http.close()
    made.remove()


def deltas(project: str) -> str:
    return f"/api/v1/deltas/{project}/"


def test_projects_are_limited_and_reads_are_not(server: Server) -> None:
    server.limits.apply(RateLimits(6, 2))
    assert server.limits.in_force()
    assert server.push(deltas(ONE), 3) == [201, 201, 429]
    assert server.push(f"/api/v1/files/{ONE}/survey.QGS/") == [429], "the same limit"
    assert server.push(f"/api/v1/files/{ONE}/DCIM/photo.jpg/", 9) == [201] * 9
    assert [server.http.get(deltas(ONE)).status_code for _ in range(9)] == [201] * 9
    assert server.push(f"/api/v1/deltas/apply/{TWO}/", 3) == [201, 201, 429]
    assert server.push("/api/v1/jobs/", 3) == [201, 201, 429], "six of all projects: what was refused took no place"

    refused = server.http.post(deltas(THREE), content=b"x")
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_requests"
    assert refused.json()["message"].endswith("nothing is lost")
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["Content-Type"] == "application/json"
    assert server.push(deltas(THREE), 3, **server.limits.passes()) == [201] * 3, "an operator's test is exempt"
    assert server.push(deltas(THREE), 1, **{"X-Qfc-Probe": "0"}) == [429]


def test_a_flood_of_nobody_keeps_no_device_out(server: Server) -> None:
    server.limits.apply(RateLimits())  # forgets what nginx has counted
    server.limits.apply(RateLimits(3, 2))
    for path in (deltas(ONE), "/api/v1/jobs/", f"/api/v1/files/{TWO}/survey.qgs/"):
        assert server.push(path, 20, Authorization="") == [201] * 20, "they are the application's to refuse"
    with httpx.Client(base_url=server.http.base_url, trust_env=False) as nobody:
        assert {nobody.post(deltas(ONE), headers={"Cookie": "csrftoken=x"}).status_code for _ in range(20)} == {201}
        assert server.push(deltas(ONE), 3) == [201, 201, 429]
        session = {"Cookie": "csrftoken=x; sessionid=abc"}
        assert [nobody.post(deltas(TWO), headers=session).status_code for _ in range(2)] == [201, 429], "three in all"


def test_what_was_refused_is_in_the_log(server: Server) -> None:
    server.limits.apply(RateLimits(None, 1))
    server.push(deltas(TWO), 4)
    assert server.push("/api/v1/auth/login/") == [429], "of the application"
    time.sleep(1)
    counted = {one.project_id: one for one in server.limits.refused(NOW)}
    assert counted[TWO].refused >= 3
    assert counted[TWO].last_at is not None
    total = sum(one.refused for one in counted.values())
    assert total == server.engine.docker("logs", server.name).count('"status":429') - 1


def test_a_throttled_project_is_free_again_by_itself(server: Server) -> None:
    until = datetime.now(UTC) + timedelta(seconds=4)
    server.limits.apply(RateLimits(None, None, (Throttle(ONE, 1, until), Throttle(TWO, 2))))
    assert server.push(deltas(THREE), 5) == [201] * 5
    assert server.push(deltas(TWO), 3) == [201, 201, 429]
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 1)
    assert server.push(deltas(ONE), 3) == [201] * 3


def test_limits_leave_no_trace(server: Server) -> None:
    server.limits.apply(RateLimits(10, 1))
    assert {path.name for path in server.folder.iterdir()} == {ZONES, ANSWER}
    assert (server.folder / ZONES).stat().st_mode & 0o777 == 0o600, "it has the password, and nginx's master is root"
    server.limits.apply(RateLimits())
    assert not list(server.folder.iterdir())
    assert server.in_nginx("sh", "-c", f"ls {HOOK} 2>/dev/null") == ""
    assert server.push(deltas(ONE), 5) == [201] * 5
    assert server.limits.passes() == {}


def test_limits_that_nginx_refuses_are_not_installed(server: Server) -> None:
    server.limits.apply(RateLimits(10, 3))
    before = (server.folder / ZONES).read_text()
    (server.folder / "other.conf").write_text("limit_req zone=nowhere;\n")
    try:
        with pytest.raises(CommandError, match="nginx rejects"):
            server.limits.apply(RateLimits(10, 4))
    finally:
        (server.folder / "other.conf").unlink()
    assert (server.folder / ZONES).read_text() == before
    assert server.limits.wanted() == RateLimits(10, 3)
    assert server.in_nginx("nginx", "-t") == ""


def test_a_recreated_container_starts_and_is_found(server: Server, tmp_path: Path) -> None:
    server.limits.apply(RateLimits(10, 1))
    password = server.limits.passes()
    server.remove()
    server.start(server.folder.parent)
    assert not server.limits.in_force()
    assert server.push(deltas(ONE), 3) == [201] * 3
    server.limits.apply(server.limits.wanted())
    assert server.limits.in_force()
    assert server.push(deltas(ONE), 2) == [201, 429]
    assert server.limits.passes() == password
    (server.folder / ZONES).unlink()
    server.engine.docker("restart", "-t", "1", server.name)
    server.await_answers()
    assert json.loads(server.http.post(deltas(ONE)).text) == {}, "a file that is gone keeps nginx from nothing"
