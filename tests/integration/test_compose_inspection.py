"""Faults of containers, network, store, images and job folders on a real deployment: created, found, repaired."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compose_world import HOST, Deployment, deployment
from engines_of_docker import DockerHost
from image_registry import image_registry
from known_lines import WRITTEN, raw
from qfc import config, wiring
from qfc.checks import EVERYTHING, Check
from qfc.checks.containers import CONTAINERS, CONTAINERS_ADVISORY
from qfc.checks.hosts import HOSTS
from qfc.checks.launching import LAUNCHING, LAUNCHING_ADVISORY
from qfc.checks.logs import LOGS
from qfc.checks.logs_login import LOGS_OF_LOGINS
from qfc.checks.logs_start import LOGS_OF_STARTS
from qfc.checks.stores import STORES, STORES_ADVISORY
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import diagnose
from qfc.stack.findings import Finding, Result
from qfc.stack.model import Revision, Vantage
from qfc.stack.ports import Ports
from qfc.stack.rollout import Record, as_document

pytestmark = pytest.mark.docker
CHECKS = {check.id: check for check in EVERYTHING}
MINE = (*CONTAINERS, *STORES, *LAUNCHING, *CONTAINERS_ADVISORY, *STORES_ADVISORY, *LAUNCHING_ADVISORY, *HOSTS)
LINES = (*LOGS, *LOGS_OF_STARTS, *LOGS_OF_LOGINS)
DAY_S = 24 * 3600
#: Settings of the workers of an official deployment, and a service that keeps running without a restart policy.
OVERRIDE = """
services:
  worker_wrapper:
    environment:
      QFIELDCLOUD_QGIS_IMAGE_NAME: ${COMPOSE_PROJECT_NAME}-qgis
      QFIELDCLOUD_DEFAULT_NETWORK: ${QFIELDCLOUD_DEFAULT_NETWORK:-}
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - SHARED:/tmp
  qgis:
    image: ${COMPOSE_PROJECT_NAME}-qgis
    build: ./qgis
    command: "true"
  smtp4dev:
    image: debian:bookworm-slim
    command: sleep infinity
    stop_grace_period: 1s
"""


#: A mail server that only greets.
GREETS = """
import socketserver
class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mail ESMTP\\r\\n")
        for line in self.rfile:
            bye = line.upper().startswith(b"QUIT")
            self.wfile.write(b"221 bye\\r\\n" if bye else b"250-mail\\r\\n250 SIZE 1000\\r\\n")
socketserver.ThreadingTCPServer(("", 2525), Mail).serve_forever()
"""
LISTENS = """
import socket, time
while socket.socket().connect_ex(("localhost", 2525)): time.sleep(0.1)
"""


@dataclass(frozen=True)
class Official:
    """A deployment whose workers look like official ones; `shared` is the folder that they share with the host."""

    made: Deployment
    ports: Ports
    shared: Path

    def find(self, id: str, *, fix: bool = False) -> Finding | None:
        """Return the findings of one check for a new operator, repaired on request."""
        found = self.look([CHECKS[id]], fix=fix)
        return found[0] if found else None

    def look(self, checks: Sequence[Check], *, fix: bool = False) -> tuple[Finding, ...]:
        """Return the findings of some checks for a new operator."""
        return self.made.look(checks, fix=fix)

    def docker(self, *words: str, check: bool = True, stdin: bytes | None = None) -> str:
        """Call docker without the suite."""
        return self.made.engine.docker(*words, check=check, stdin=stdin)

    def run(self, service: str, *words: str) -> str:
        """Create a container that looks like one of the deployment; return its id."""
        labels = {"project": self.made.project, "service": service, "project.working_dir": str(self.made.place)}
        options = [word for name, value in labels.items() for word in ("--label", f"com.docker.compose.{name}={value}")]
        return self.docker("run", "-d", *options, *words)

    def write(self, service: str, text: str) -> None:
        """Let a service write to its log; only the database itself may write to its own, so it is asked to."""
        container = self.made.container(service)
        if service == "db":
            raised = f"do $$ begin raise warning '{text}'; end $$"
            self.docker("exec", container, "sh", "-c", 'psql -qU "$POSTGRES_USER" "$POSTGRES_DB" -c "$1"', "sh", raised)
            return
        lines = "\n".join([*map(raw, text.splitlines()), ""])
        self.docker("exec", container, "sh", "-c", 'printf %s "$1" >/proc/1/fd/2', "sh", lines)

    def change(self, **values: str) -> None:
        """Change lines of .env, and recreate the workers."""
        self.ports.deployment.settings.change(values)
        self.ports.runtime.recreate(["worker_wrapper"])


@pytest.fixture(scope="module")
def official(docker_here: DockerHost, short_folder: Path) -> Iterator[Official]:
    shared = short_folder / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    made = deployment(docker_here, short_folder / "inspected", short_folder / "home-inspected", workers=1)
    (made.place / "qgis").mkdir()
    (made.place / "qgis/Dockerfile").write_text("FROM debian:bookworm-slim\nRUN echo qgis > /qgis\n")
    (made.place / "docker-compose.override.yml").write_text(OVERRIDE.replace("SHARED", str(shared)))
    ports = wiring.wire(config.load(made.qfc.environment, stack="dep").stack())
    try:
        made.ok("up")
        yield Official(made, ports, shared)
    finally:
        ports.close()
        made.remove()


def test_nothing_is_found_on_a_healthy_deployment(deployed_here: Deployment) -> None:
    ports = wiring.wire(config.load(deployed_here.qfc.environment, stack="dep").stack())
    made = diagnose(ports, MINE, Options(), proof=False)
    ports.close()
    assert made.findings == ()
    # Embedded stacks alone can be open without TLS in this way.
    assert {one.id for one in MINE} - set(made.checked) == {"B09-none"}


def test_nothing_is_found_on_one_whose_workers_start_containers(official: Official) -> None:
    made = diagnose(official.ports, MINE, Options(), proof=False)
    assert [(one.id, one.evidence) for one in made.findings] == [("A11-policy", "No restart policy: smtp4dev.")]


def test_a_service_that_would_not_come_back_is_told_to(official: Official) -> None:
    assert official.find("A11-policy", fix=True)
    policy = official.docker("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", official.made.container("smtp4dev"))
    assert policy == "unless-stopped"
    assert official.find("A11-policy") is None
    official.docker("update", "--restart", "no", official.made.container("smtp4dev"))


def test_an_orphan_goes_and_its_volume_stays(official: Official) -> None:
    volume = f"{official.made.project}_geodb_data"
    orphan = official.run("geodb", "-v", f"{volume}:/data", "debian:bookworm-slim", "sleep", "infinity")
    name = official.docker("inspect", "-f", "{{.Name}}", orphan).lstrip("/")
    assert official.find("A09") is None
    kept = official.find("A09-data", fix=True)
    assert kept is not None
    assert kept.evidence == f"These run and hold data, so qfc keeps them: {name}."
    assert kept.result is Result.FOUND
    official.docker("stop", "--time", "0", orphan)
    fixed = official.find("A09", fix=True)
    assert fixed is not None
    assert fixed.result is Result.FIXED
    assert official.made.containers("geodb") == []
    assert volume in official.docker("volume", "ls", "-q").split()
    official.docker("volume", "rm", volume)


def test_a_taken_port_is_told_and_another_one_is_used(official: Official) -> None:
    nginx, port = official.made.container("nginx"), official.made.ports["WEB_HTTP_PORT"]
    before = official.ports.deployment.settings.text()
    official.docker("stop", nginx)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("0.0.0.0", port))
        taken.listen()
        official.docker("start", nginx, check=False)
        found = official.find("A05")
        fixed = official.find("A05", fix=True)
        state = official.docker("inspect", "-f", "{{.State.Status}}", official.made.container("nginx"))
    used = official.ports.deployment.settings.values()["WEB_HTTP_PORT"]
    official.ports.deployment.settings.restore(before)
    official.ports.runtime.recreate(["nginx"])
    assert found is not None
    assert found.evidence == f"Another program uses port {port} of nginx."
    assert fixed is not None
    assert (fixed.result, int(used) > port, state) == (Result.FIXED, True, "running")
    assert official.find("A05") is None


def test_known_lines_in_the_logs_of_running_services_are_found_until_these_are_made_anew(official: Official) -> None:
    before = official.ports.deployment.settings.text()
    for service, text in WRITTEN.values():
        official.write(service, text)
    found = official.look(LINES)
    longer = official.find("B14", fix=True)
    assert {one.id for one in found} == set(WRITTEN)
    assert longer is not None
    assert longer.result is Result.FIXED
    assert official.ports.deployment.settings.values()["GUNICORN_TIMEOUT_S"] == "600"
    official.ports.deployment.settings.restore(before)
    official.ports.runtime.recreate(sorted({service for service, _ in WRITTEN.values()}))
    assert official.look(LINES) == ()


def test_what_jobs_left_is_removed_and_nothing_else(official: Official) -> None:
    job = str(uuid.uuid4())
    for name, file, age_s in (("tmpold", "feedback.json", 2 * DAY_S), ("tmpnew", "deltafile.json", 0)):
        leave(official.shared / name, file, age_s)
    leave(official.shared / "tmpother", "somebody-elses.txt", 2 * DAY_S)
    network = f"{official.made.project}_default"
    container = official.docker(
        "create", "--label", f"job_id={job}", "--network", network, "-v", f"{official.shared}/tmpold:/io",
        "debian:bookworm-slim", "true",
    )  # fmt: skip
    folders = {Path(one.path).name: one for one in official.ports.deployment.inspection.host.temporary_folders()}
    assert set(folders) == {"tmpold", "tmpnew"}
    assert (folders["tmpold"].job_id, folders["tmpnew"].job_id) == (job, "")
    assert folders["tmpold"].age_s >= 2 * DAY_S - 60
    assert [one.job_id for one in official.ports.deployment.inspection.containers.all() if not one.is_own] == [job]
    fixed = official.find("C14", fix=True)
    assert fixed is not None
    assert (fixed.result, fixed.evidence[:29]) == (Result.FIXED, "1 folder and 0 containers, fr")
    assert sorted(one.name for one in official.shared.glob("tmp*")) == ["tmpnew", "tmpother"]
    official.ports.deployment.inspection.containers.remove([container])
    assert official.docker("ps", "-aq", "--filter", f"label=job_id={job}") == ""
    for path in official.shared.glob("tmp*"):
        shutil.rmtree(path)


def leave(folder: Path, file: str, age_s: float) -> None:
    """Leave a job folder like workers that run as root."""
    folder.mkdir(mode=0o700)
    at = time.time() - age_s
    (folder / file).write_text("{}")
    for path in (folder / file, folder):
        os.utime(path, (at, at))


def test_a_network_that_is_not_there_is_named_anew(official: Official) -> None:
    official.change(QFIELDCLOUD_DEFAULT_NETWORK="qfieldcloud_default")
    found = official.find("D01-network")
    assert found is not None
    assert "in the network qfieldcloud_default, which is missing" in found.evidence
    fixed = official.find("D01-network", fix=True)
    assert fixed is not None
    assert fixed.result is Result.FIXED
    assert official.made.env["QFIELDCLOUD_DEFAULT_NETWORK"] == f"{official.made.project}_default"
    told = official.docker("exec", official.made.container("worker_wrapper"), "printenv", "QFIELDCLOUD_DEFAULT_NETWORK")
    assert told == f"{official.made.project}_default"


def test_a_store_that_is_down_is_not_reached_and_started_again(official: Official) -> None:
    official.docker("stop", official.made.container("minio"))
    legs = official.find("C01")
    assert legs is not None
    assert legs.evidence.startswith("http://minio:9000 (default) from app: ")
    assert "; nginx: " in legs.evidence
    fixed = official.find("C02-down", fix=True)
    assert fixed is not None
    assert (fixed.result, fixed.evidence) == (Result.FIXED, "Down: minio.")
    assert official.find("C02-down") is None
    assert official.find("C01") is None


def test_the_store_is_reached_from_the_host_by_its_port(official: Official) -> None:
    url = f"http://127.0.0.1:{official.made.ports['MINIO_API_PORT']}"
    assert official.ports.deployment.inspection.network.reach(Vantage.HOST, url).status == 403
    assert official.ports.deployment.inspection.network.reach(Vantage.APP, url).status is None


def test_a_missing_image_is_built(official: Official) -> None:
    name = f"{official.made.project}-qgis"
    official.docker("rm", "-f", *official.made.containers("qgis"), check=False)
    official.docker("image", "rm", "-f", name)
    fixed = official.find("D02", fix=True)
    assert fixed is not None
    assert (fixed.result, fixed.evidence) == (Result.FIXED, f"Missing: {name}.")
    assert official.docker("image", "inspect", "-f", "{{.Id}}", name).startswith("sha256:")


def test_a_neighbour_with_the_same_label_is_seen_while_it_runs(official: Official) -> None:
    def neighbour(environment: str) -> str:
        return official.docker(
            "run", "-d", "--label", "com.docker.compose.project=other", "--label",
            "com.docker.compose.service=worker_wrapper", "--label", "com.docker.compose.project.working_dir=/srv/other",
            "-e", f"ENVIRONMENT={environment}", "-v", "/var/run/docker.sock:/var/run/docker.sock",
            "debian:bookworm-slim", "sleep", "infinity",
        )  # fmt: skip

    before = official.ports.deployment.settings.text()
    ids = [neighbour("production"), neighbour("field")]
    try:
        found = official.find("D06")
        fixed = official.find("D06", fix=True)
        named = official.ports.deployment.settings.values()["ENVIRONMENT"]
        official.ports.deployment.settings.restore(before)
        official.ports.runtime.recreate(None)
        official.docker("rm", "-f", ids[0])
        left = official.find("D06")
    finally:
        official.docker("rm", "-f", *ids, check=False)
    assert found is not None
    assert found.evidence == "ENVIRONMENT is production here and in other in /srv/other."
    assert fixed is not None
    assert (fixed.result, named) == (Result.FIXED, f"production_{official.made.project}")
    assert left is None


def test_the_end_of_a_container_is_seen(official: Official) -> None:
    grids = official.run("mirror_transformation_grids", "debian:bookworm-slim", "sh", "-c", "exit 4")
    hungry = official.run(
        "app2", "--memory", "16m", "--memory-swap", "16m", "debian:bookworm-slim", "tail", "/dev/zero"
    )
    official.docker("wait", grids, hungry)
    name = official.docker("inspect", "-f", "{{.Name}}", hungry).lstrip("/")
    killed = json.loads(official.docker("inspect", "-f", "{{json .State.OOMKilled}}", hungry))
    ended, memory = official.find("A16"), official.find("D05-oom")
    official.docker("rm", grids, hungry)
    assert ended is not None
    assert ended.evidence == "mirror_transformation_grids ended with exit code 4."
    assert killed
    assert memory is not None
    assert memory.evidence.startswith(f"Killed for lack of memory: {name} at ")


def test_a_mail_server_is_greeted_from_the_application(official: Official) -> None:
    settings, network = official.ports.deployment.settings, f"{official.made.project}_default"
    before = settings.text()
    image = official.docker("inspect", "-f", "{{.Image}}", official.made.container("app"))
    server = official.docker("run", "-d", "--network", network, "--network-alias", "mail", "--entrypoint", "python3",
                             image, "-c", GREETS)  # fmt: skip
    try:
        settings.change({"EMAIL_HOST": "mail", "EMAIL_PORT": "2525"})
        official.docker("exec", server, "python3", "-c", LISTENS)
        assert official.find("H06-server") is None
        settings.change({"EMAIL_USE_TLS": "true"})
        plain = official.find("H06-server")
        settings.change({"EMAIL_PORT": "2526"})
        silent = official.find("H06-server")
    finally:
        settings.restore(before)
        official.docker("rm", "-f", server)
    assert plain is not None
    assert plain.evidence == "mail:2525 does not offer STARTTLS."
    assert silent is not None
    assert silent.evidence.startswith("mail:2526 from app: [Errno 111]")


def test_migrations_that_are_not_applied_are_applied_after_a_dump(official: Official) -> None:
    official.ports.runtime.execute("app", ["migrate", "core", "0005"], timeout_s=120)
    found = official.find("A13-pending")
    fixed = official.find("A13-pending", fix=True)
    assert found is not None
    assert "core.0006" in found.evidence
    assert fixed is not None
    assert fixed.result is Result.FIXED
    assert len(official.ports.records.names("migrations")) == 1
    assert official.find("A13-pending") is None


def test_projects_of_qgis_four_need_an_image_of_it(official: Official) -> None:
    rows = official.ports.lab
    rows.account("modern")
    try:
        rows.project("modern", "survey", made_at=datetime.now(UTC), project_details={"qgis_version": "4.0.1-Norr"})
        found = official.find("E01-images")
    finally:
        rows.remove("modern")
    assert found is not None
    assert found.evidence == "Written by QGIS 4: modern/survey."
    assert official.find("E01-images") is None


def test_images_that_env_names_are_pulled_and_that_of_qgis_four_is_named(official: Official, tmp_path: Path) -> None:
    settings, rows = official.ports.deployment.settings, official.ports.lab
    before = settings.text()
    rows.account("modern")
    with image_registry(tmp_path) as registry:
        three, four = f"{registry}/field/qgis3:26.6", f"{registry}/field/qgis4:26.6"
        try:
            rows.project("modern", "survey", made_at=datetime.now(UTC), project_details={"qgis_version": "4.0.1-Norr"})
            push(official, three)
            settings.change({"QFIELDCLOUD_QGIS3_IMAGE_NAME": three})
            pulled, absent = official.find("D02", fix=True), official.find("E01-images", fix=True)
            unchanged = settings.values()
            push(official, four)
            named = official.find("E01-images", fix=True)
            changed = settings.values()
            assert [official.find(id) for id in ("D02", "E01-images")] == [None, None]
        finally:
            rows.remove("modern")
            settings.restore(before)
            official.docker("image", "rm", three, four, check=False)
    assert pulled is not None
    assert (pulled.result, pulled.evidence) == (Result.FIXED, f"Missing: {three}.")
    assert absent is not None
    assert (absent.result, "QFIELDCLOUD_QGIS4_IMAGE_NAME" in unchanged) == (Result.FAILED, False)
    assert named is not None
    assert (named.result, changed["QFIELDCLOUD_QGIS4_IMAGE_NAME"]) == (Result.FIXED, four)


def push(official: Official, name: str) -> None:
    """Push an image to a registry and remove it here."""
    official.docker("tag", "debian:bookworm-slim", name)
    official.docker("push", "-q", name)
    official.docker("image", "rm", name)


def test_secrets_that_are_older_than_the_keys_are_told(official: Official) -> None:
    rows, records = official.ports.lab, official.ports.records
    began = datetime.now(UTC) - timedelta(hours=1)
    revision = Revision("a" * 40, "v1")
    rows.account("sealed")
    try:
        project = rows.project("sealed", "survey", made_at=began)
        (owner,) = rows.rows("project", {"id": project}, ["owner_id"])
        rows.insert("secret", name="SERVICE", type="envvar", project_id=project, created_at=began - timedelta(hours=1),
                    created_by_id=owner["owner_id"], value=b"gAAAAA")  # fmt: skip
        records.write(
            "deployments/1/record.json", as_document(Record("1", "deploy", began, "anna", revision, revision))
        )
        records.write_text("deployments/1/env", official.ports.deployment.settings.text())
        same = official.find("E08")
        records.write_text("deployments/1/env", "SECRET_KEY=another-one\n")
        found = official.find("E08")
    finally:
        records.remove("deployments/1")
        rows.remove("sealed")
    assert same is None
    assert found is not None
    assert found.evidence == f"SECRET_KEY had another value on {began:%Y-%m-%d %H:%M} UTC, and secrets are older."
    assert official.find("E08") is None


def test_parts_of_different_releases_are_told(official: Official) -> None:
    labelled = {"app": "26.3", "worker_wrapper": "26.3", "qgis": "25.9"}
    images = official.ports.deployment.rollout.facts().images
    for service, release in labelled.items():
        label = f"FROM {images[service]}\nLABEL org.opencontainers.image.version={release}\n"
        official.docker("build", "-q", "-t", images[service], "-", stdin=label.encode())
    official.ports.runtime.recreate(["app", "worker_wrapper"])
    found = official.find("D03-skew")
    assert found is not None
    assert found.evidence == "Releases: qgis 25.9; app, worker_wrapper 26.3."


def test_workers_without_the_engine_and_a_store_that_says_that_it_is_ill(official: Official) -> None:
    override = official.made.place / "docker-compose.override.yml"
    before = override.read_text()
    ill = "  minio:\n    healthcheck: {test: 'false', interval: 1s, retries: 1}\n"
    override.write_text(before.replace("      - /var/run/docker.sock:/var/run/docker.sock\n", "") + ill)
    try:
        # The suite would wait until the store is healthy.
        files = ["-f", str(official.made.place / "docker-compose.yml"), "-f", str(override)]
        official.docker("compose", *files, "up", "-d", "--no-deps", "worker_wrapper", "minio")
        cut_off, unhealthy = official.find("D13"), wait_for(lambda: official.find("C02"))
    finally:
        override.write_text(before)
        official.ports.runtime.recreate(["worker_wrapper", "minio"])
    assert cut_off is not None
    assert cut_off.evidence == "No worker mounts the engine's socket docker.sock."
    assert unhealthy is not None
    assert unhealthy.evidence == "The health check fails: minio."
    assert (official.find("D13"), official.find("C02")) == (None, None)


def wait_for(look: Callable[[], Finding | None], limit_s: float = 30) -> Finding | None:
    deadline = time.monotonic() + limit_s
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def test_large_logs_are_measured(official: Official) -> None:
    sizes = {one.name: one.bytes for one in official.ports.deployment.inspection.host.logs()}
    assert (sizes[f"{official.made.project}-db-1"] or 0) > 0


STORES_JSON = '{"other": {"BACKEND": "qfieldcloud.filestorage.backend.QfcS3Boto3Storage"}}'
#: Lines of `.env` by the check that finds and repairs them; those of a group do not hide each other.
WRONG_LINES: tuple[dict[str, dict[str, str]], ...] = (
    {
        "A05-env": {"WEB_HTTP_PORT": "{HOST_POSTGRES_PORT}"},
        "A06": {"POSTGRES_SSLMODE": "prefer # or require"},
        "B03": {"QFIELDCLOUD_HOST": f"https://{HOST.upper()}/"},
        "B04": {"DJANGO_ALLOWED_HOSTS": "localhost"},
        "B06": {"QFIELDCLOUD_WORKER_QFIELDCLOUD_URL": "http://app:8000/api/v1/"},
        "C07": {"STORAGES": STORES_JSON},
        "D10": {"TMP_DIRECTORY": "/srv/elsewhere"},
        "H06-tls": {"EMAIL_USE_TLS": "1"},
        "H07": {"QFIELDCLOUD_ACCOUNT_ADAPTER": "qfieldcloud.core.adapters.AccountAdapterSignUpOpen"},
    },
    {
        "A01": {"COMPOSE_FILE": "docker-compose.yml:docker-compose.override.yml:docker-compose.override.local.yml"},
        "A02": {"DEBUG": "1", "ENVIRONMENT": "test"},
        "B07": {"QFIELDCLOUD_WORKER_QFIELDCLOUD_URL": "http://nginx/api/v1/"},
    },
)


@pytest.mark.parametrize("wrong", WRONG_LINES, ids=["names", "files"])
def test_wrong_lines_of_env_are_put_right_at_once(official: Official, wrong: dict[str, dict[str, str]]) -> None:
    settings, runtime = official.ports.deployment.settings, official.ports.runtime
    before, now = settings.text(), settings.values()
    (official.made.place / "docker-compose.override.local.yml").write_text("services: {app: {labels: {local: yes}}}\n")
    lines = {name: value for one in wrong.values() for name, value in one.items()}
    settings.change({name: value.replace("{HOST_POSTGRES_PORT}", now["HOST_POSTGRES_PORT"])
                     for name, value in lines.items()})  # fmt: skip
    broken = settings.text()
    checks = [CHECKS[id] for id in wrong]
    found, fixed = official.look(checks), official.look(checks, fix=True)
    values, kept = settings.values(), official.made.env_copies()[-1].read_text()
    left, answers = official.look(checks), official.look([CHECKS["A17"], CHECKS["A11"]])
    settings.restore(before)
    runtime.recreate(None)
    assert {one.id for one in found} == set(wrong)
    unusable = UNUSABLE & set(wrong)
    assert {one.id: one.evidence for one in fixed if one.result is not Result.FIXED}.keys() == unusable
    assert {values[name] for name in lines if name in RIGHT} == {RIGHT[name] for name in lines if name in RIGHT}
    assert (kept, {one.id for one in left}, answers) == (broken, unusable, ())


#: Their repair lets workers use the address of clients. No name leads there from this deployment, so it is not done.
UNUSABLE = {"B06", "B07"}
RIGHT = {
    "COMPOSE_FILE": "docker-compose.yml:docker-compose.override.yml",
    "QFIELDCLOUD_HOST": HOST,
    "DJANGO_ALLOWED_HOSTS": f"localhost {HOST} app nginx",
    "POSTGRES_SSLMODE": "prefer",
    "DEBUG": "0",
}


def test_passwords_that_everybody_knows_are_replaced_in_database_and_store(official: Official) -> None:
    """This must be the last test: afterwards the deployment has passwords that the tests do not know."""
    settings = official.ports.deployment.settings
    official.ports.conditions.server.change_password("postgres")
    known = ("MINIO_ROOT_PASSWORD", "STORAGE_SECRET_ACCESS_KEY")
    settings.change({"POSTGRES_PASSWORD": "postgres", **dict.fromkeys(known, "minioadmin")})
    official.ports.runtime.recreate(None)
    found, fixed = official.find("A10-passwords"), official.find("A10-passwords", fix=True)
    values = settings.values()
    login = 'PGPASSWORD=postgres psql -h 127.0.0.1 -U "$POSTGRES_USER" "$POSTGRES_DB" -c "" 2>&1'
    refused = official.docker("exec", official.made.container("db"), "sh", "-c", login, check=False)
    assert found is not None
    assert found.evidence.endswith(f"POSTGRES_PASSWORD, {', '.join(known)}.")
    assert fixed is not None
    assert fixed.result is Result.FIXED
    assert "password authentication failed" in refused
    assert values[known[0]] == values[known[1]] != "minioadmin"
    assert official.look([CHECKS["A10-passwords"], CHECKS["C01"], CHECKS["A11"]]) == ()
    assert official.made.ok("sync", "diagnose")["ready"]
