"""Certificates of a real authority (Let's Encrypt's own test server), by the deployment's certbot; and the tunnel."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose_world import HOST, Deployment, running_deployment
from engines_of_docker import PEBBLE, DockerHost

pytestmark = pytest.mark.docker
LIVE = f"/etc/letsencrypt/live/{HOST}"
AUTHORITY = {
    "pebble": {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "0.0.0.0:15000",
        "certificate": "/pebble/cert.pem",
        "privateKey": "/pebble/key.pem",
        "httpPort": 80,
        "tlsPort": 443,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "profiles": {"default": {"description": "as usual", "validityPeriod": 7776000}},
    }
}
OVERRIDE = f"""
services:
  nginx:
    networks: {{default: {{aliases: [{HOST}]}}}}
  pebble:
    image: {PEBBLE}
    command: -config /pebble/config.json
    environment: {{PEBBLE_VA_NOSLEEP: 1, PEBBLE_WFE_NONCEREJECT: 0}}
    volumes: ["./conf/pebble:/pebble:ro"]
    restart: unless-stopped
"""


@pytest.fixture(scope="module")
def issued(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment with a certificate from the authority, obtained as documented."""
    with running_deployment(docker_here, short_folder / "certs", short_folder / "home-certs", workers=1) as made:
        _authority(made.place / "conf/pebble")
        (made.place / "docker-compose.override.yml").write_text(OVERRIDE)
        made.ok("up")
        made.ok("services", "recreate", "--service", "nginx")
        settings = "no-verify-ssl = true\n"  # the authority's own server has a self-signed certificate
        (made.place / "conf/certbot/conf/cli.ini").write_text(settings)
        _compose(made, "run", "--rm", "--entrypoint", "certbot", "certbot", "certonly", "--webroot", "--webroot-path",
                 "/var/www/certbot", "--domain", HOST, "--register-unsafely-without-email", "--agree-tos",
                 "--server", "https://pebble:14000/dir", "--non-interactive")  # fmt: skip
        env = made.place / ".env"
        changed = {"QFIELDCLOUD_TLS_CERT": f"{LIVE}/fullchain.pem", "QFIELDCLOUD_TLS_KEY": f"{LIVE}/privkey.pem"}
        lines = [line.partition("=")[0] for line in env.read_text().splitlines()]
        text = [f"{name}={changed[name]}" if name in changed else line
                for name, line in zip(lines, env.read_text().splitlines(), strict=True)]  # fmt: skip
        env.write_text("\n".join(text) + "\n")
        made.ok("services", "recreate", "--service", "nginx")
        yield made


def _authority(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(AUTHORITY))
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=pebble",
             "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True)


def _compose(made: Deployment, *words: str) -> str:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{made.engine.socket}"}
    done = subprocess.run(["docker", "compose", *words], cwd=made.place, env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_issued_certificate_is_told_with_its_chain(issued: Deployment) -> None:
    answer = issued.run("--json", "certs", "status").json
    assert answer["on_disk"]["chain"] >= 2
    assert answer["on_disk"]["issuer"].startswith("Pebble Intermediate CA")
    assert answer["served"]["fingerprint"] == answer["on_disk"]["fingerprint"]
    assert answer["key_fits"] is True
    assert 80 < answer["days_left"] <= 90
    # This machine does not trust the authority, and qfc reports that.
    assert any("does not trust" in sentence for sentence in answer["judged"]["problems"]), answer["judged"]


def test_what_is_not_due_is_not_renewed(issued: Deployment) -> None:
    before = issued.run("--json", "certs", "status").json["served"]["fingerprint"]
    assert issued.ok("certs", "renew")["changed"] is False
    assert issued.run("--json", "certs", "status").json["served"]["fingerprint"] == before


def test_a_renewed_certificate_is_served_at_once(issued: Deployment) -> None:
    before = issued.run("--json", "certs", "status").json["served"]["fingerprint"]
    assert issued.ok("certs", "renew", "--force")["changed"] is True
    after = issued.run("--json", "certs", "status").json
    assert after["served"]["fingerprint"] == after["on_disk"]["fingerprint"] != before


def test_a_faulty_configuration_of_nginx_is_never_used(issued: Deployment) -> None:
    fault = issued.place / "conf/nginx/config.d/fault.conf"
    fault.write_text("no_such_directive on;\n")
    try:
        answer = issued.run("--json", "--yes", "certs", "renew", "--reload-only")
        assert answer.code == 1
        assert "no_such_directive" in answer.json["error"]["message"]
    finally:
        fault.unlink()
    with issued.client() as client:
        assert client.get("/api/v1/status/").status_code == 200


def test_an_authority_that_is_away_is_told(issued: Deployment) -> None:
    _compose(issued, "stop", "pebble")
    try:
        answer = issued.run("--json", "--yes", "certs", "renew", "--force")
        assert answer.code == 1
        assert "certbot could not renew" in answer.json["error"]["message"]
    finally:
        _compose(issued, "start", "pebble")


def test_a_server_without_a_tunnel(issued: Deployment) -> None:
    answer = issued.run("--json", "tunnel", "status").json
    assert answer["tunnels"] == []
    assert answer["host"] == HOST


# A program with that name, log, file and metrics: the real one is not available from the registries.
STAND_IN = """
import http.server, json
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": 200, "readyConnections": 4, "connectorId": "x"}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 2000), Ready).serve_forever()
"""


@contextmanager
def tunnel(made: Deployment, service: str) -> Iterator[None]:
    """Run a container that reports the same about itself as cloudflared."""
    folder = made.place / "conf/cloudflared"
    folder.mkdir(exist_ok=True)
    rules = f"tunnel: 6ff42ae2\ningress:\n  - hostname: {HOST}\n    service: {service}\n  - service: http_status:404\n"
    (folder / "config.yml").write_text(rules)
    (folder / "stand_in.py").write_text(STAND_IN)
    name = f"{made.project}-cloudflared"
    made.engine.docker("run", "--detach", "--name", name, "--network", f"{made.project}_default", "--volume",
                       f"{folder}:/etc/cloudflared:ro", "--entrypoint", "python3", "certbot/certbot:latest",
                       "/etc/cloudflared/stand_in.py", "cloudflared", "tunnel", "--metrics", "0.0.0.0:2000",
                       "--config", "/etc/cloudflared/config.yml", "run")  # fmt: skip
    try:
        yield
    finally:
        made.engine.docker("rm", "-f", name)


def test_a_tunnel_its_connections_and_where_it_leads(issued: Deployment) -> None:
    with tunnel(issued, "https://nginx:443"):
        answer = issued.run("--json", "tunnel", "status").json
        (found,) = answer["tunnels"]
        assert (found["running"], found["connections"]) == (True, 4)
        assert answer["service"] == "https://nginx:443"
        assert not [problem for problem in answer["problems"] if "The tunnel leads to" in problem]


def test_a_tunnel_that_leads_to_the_wrong_port(issued: Deployment) -> None:
    with tunnel(issued, "http://nginx:80"):
        answer = issued.run("--json", "tunnel", "status")
        assert answer.code == 1
        assert any("a loop" in problem for problem in answer.json["problems"])
