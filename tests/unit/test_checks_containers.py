"""Containers, engine, network, stores, host: each fault is created in memory, found with its evidence, and repaired if
the check can do so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from checks_world import DRY, found, healthy, ids, the
from qfc.errors import CommandError
from qfc.operations.sync_queue import sync_queue
from qfc.stack.findings import Result
from qfc.stack.forecast import DiskSample
from qfc.stack.model import (
    ComposeFacts,
    DiskPart,
    Health,
    Inodes,
    MailServer,
    Neighbour,
    Revision,
    StoreFacts,
    TemporaryFolder,
    User,
    Vantage,
)
from twins import MemoryInspection, MemoryPorts
from twins.site import FOLDER, BuiltImage, Release

Make = Callable[[MemoryPorts], object]
ENDPOINT = "http://minio:9000"
TAKEN = "port is already allocated"


def inspection(ports: MemoryPorts) -> MemoryInspection:
    return ports.deployment.inspection


def change(ports: MemoryPorts, service: str, **more: object) -> None:
    """Replace the container of a service."""
    rows = inspection(ports).containers.rows
    changed = [replace(one, **more) if one.service == service else one for one in rows]  # pyright: ignore[reportArgumentType]
    inspection(ports).containers.rows = changed


def add(ports: MemoryPorts, called: str, **more: object) -> None:
    one = inspection(ports).containers.of(called)
    inspection(ports).containers.rows.append(replace(one, **more))  # pyright: ignore[reportArgumentType]


def official(ports: MemoryPorts) -> None:
    """Use workers that start a container for each job."""
    inspection(ports).environment.given["worker_wrapper"] = {"QFIELDCLOUD_QGIS_IMAGE_NAME": "memory-app"}
    change(ports, "worker_wrapper", mounts=("/var/run/docker.sock",))


def serving(ports: MemoryPorts, *services: str) -> None:
    """Add services to the files."""
    known = ports.deployment.rollout.facts()
    images = {**known.images, **{name: f"{name}:1" for name in services}}
    object.__setattr__(ports.deployment.rollout, "facts", lambda: ComposeFacts(images, known.built, known.replicas))


def old_compose(ports: MemoryPorts) -> None:
    inspection(ports).engine.known = replace(inspection(ports).engine.known, compose="1.29.2")
    assert found(ports).findings == ()

    def faulty() -> ComposeFacts:
        raise CommandError("docker-compose ended", said="depends_on contains an invalid type, it should be an array")

    object.__setattr__(ports.deployment.rollout, "facts", faulty)


def another_processor(ports: MemoryPorts) -> None:
    inspection(ports).engine.known = replace(inspection(ports).engine.known, architecture="aarch64")
    assert found(ports).findings == ()
    serving(ports, "qgis")


def lost_network(ports: MemoryPorts) -> None:
    official(ports)
    assert found(ports).findings == ()
    ports.deployment.site.env += "QFIELDCLOUD_DEFAULT_NETWORK=gone\n"


def neighbour(ports: MemoryPorts) -> None:
    official(ports)
    inspection(ports).engine.neighbours = (Neighbour("other", "/srv/other"),)


def no_socket(ports: MemoryPorts) -> None:
    official(ports)
    change(ports, "worker_wrapper", mounts=())


def left(ports: MemoryPorts) -> None:
    official(ports)
    inspection(ports).host.folders = [
        TemporaryFolder("/tmp/tmpa", 90_000, "job-1"),
        TemporaryFolder("/tmp/tmpb", 60, "job-2"),
    ]
    old = ports.clock.now() - timedelta(hours=30)
    add(ports, "worker_wrapper", id="of-job", name="job", service="", job_id="job-1", state="exited", finished_at=old)


def another_release(ports: MemoryPorts) -> None:
    official(ports)
    site = ports.deployment.site
    site.releases = {**site.releases, "c" * 40: Release(Revision("c" * 40, "v2"))}
    site.images["sha256:new"] = BuiltImage("worker_wrapper", "c" * 40, ports.clock.now())
    site.names[site.name_of("worker_wrapper")] = "sha256:new"


def nowhere(ports: MemoryPorts) -> None:
    site = ports.deployment.site
    site.env = site.env.replace("field.example.org", "field.town.ch")
    assert "G03-dns" not in ids(found(ports))
    inspection(ports).network.nowhere = frozenset({"field.town.ch"})


def filling(ports: MemoryPorts) -> None:
    for days in range(5):
        at = ports.clock.now() - timedelta(days=4 - days)
        ports.disk_history.add(DiskSample(at, (50 - 10 * days) * 10**9, 100 * 10**9, "/"))


FAULTS: Mapping[str, tuple[Make, str]] = {
    "A05": (
        lambda ports: change(
            ports, "app", state="created", error="Bind for 0.0.0.0:443 failed: port is already allocated"
        ),
        "uses port 443 of app",
    ),
    "A05-other": (
        lambda ports: add(ports, "smtp4dev", state="created", error="listen tcp :25: bind: address already in use"),
        "uses the port of smtp4dev",
    ),
    "A07": (old_compose, "Compose 1.29.2 rejects the files: contains an invalid type"),
    "A09": (
        lambda ports: (add(ports, "mailer"), setattr(inspection(ports).containers, "orphaned", ("mailer",))),
        "memory-mailer-1",
    ),
    "A11-policy": (lambda ports: change(ports, "app", restart_policy="no"), "No restart policy: app"),
    "A14": (another_processor, "aarch64"),
    "A16": (
        lambda ports: add(ports, "mirror_transformation_grids", state="exited", exit_code=4),
        "ended with exit code 4",
    ),
    "D05-oom": (
        lambda ports: change(ports, "app", oom_killed=True),
        "Killed for lack of memory: memory-app-1",
    ),
    "C01": (
        lambda ports: inspection(ports).network.unreached.update({(Vantage.NGINX, ENDPOINT): "no such host"}),
        "nginx: no such host",
    ),
    "C04": (
        lambda ports: (serving(ports, "rustfs"), inspection(ports).engine.volume_names.append("memory_minio_data1")),
        "memory_minio_data1",
    ),
    "C05": (lambda ports: serving(ports, "rustfs"), "rustfs"),
    "C09": (
        lambda ports: setattr(
            inspection(ports).environment, "known_stores", (StoreFacts("default", "webdav", "http://dav"),)
        ),
        "default",
    ),
    "D01-network": (lost_network, "Workers start jobs in the network gone"),
    "D03-skew": (another_release, "worker_wrapper 2"),
    "D06": (neighbour, "production here and in other in /srv/other"),
    "D13": (no_socket, "No worker mounts the engine's socket"),
    "C14": (left, "1 folder and 1 container, "),
    "A15-no-inodes": (
        lambda ports: setattr(inspection(ports).host, "space", (Inodes(10, 10**7, "/"),)),
        "10 of 10000000 on /",
    ),
    "A15-inodes": (lambda ports: setattr(inspection(ports).host, "space", (Inodes(10**5, 10**7, "/"),)), "100000 of"),
    "A15-soon": (filling, "Full at the present rate: / on"),
    "A15-logs": (
        lambda ports: setattr(inspection(ports).host, "log_parts", (DiskPart("logs", "db", 20 * 10**9),)),
        "20.0 GB in total: db 20.0 GB",
    ),
    "G03-dns": (
        lambda ports: (
            setattr(
                ports.deployment.site, "env", ports.deployment.site.env.replace("field.example.org", "field.town.ch")
            ),
            setattr(inspection(ports).network, "nowhere", frozenset({"field.town.ch"})),
        ),
        "field.town.ch",
    ),
    "H06-server": (
        lambda ports: setattr(inspection(ports).network, "nowhere", frozenset({"mail.example.org"})),
        "mail.example.org:25 from app: no such name",
    ),
    "clock": (lambda ports: setattr(inspection(ports).host, "offset_s", -90.0), "90 s behind"),
}


@pytest.mark.parametrize(
    ("env", "offered", "told"),
    [
        ("EMAIL_USE_TLS=true\n", ("STARTTLS",), None),
        ("EMAIL_USE_TLS=true\nEMAIL_PORT=587\n", ("SIZE",), "mail.example.org:587 does not offer STARTTLS."),
        ("EMAIL_HOST_USER=qfc\n", ("STARTTLS",), "mail.example.org:25 does not offer AUTH."),
        ("EMAIL_HOST_USER=qfc\nEMAIL_USE_TLS=true\n", ("STARTTLS",), None),
        ("EMAIL_USE_TLS=1\n", (), None),
        ("EMAIL_HOST=\nEMAIL_USE_TLS=true\n", (), None),
    ],
)
def test_a_mail_server_offers_what_is_wanted_of_it(env: str, offered: tuple[str, ...], told: str | None) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += env
    inspection(ports).network.mail = MailServer(offered)
    findings = [one.evidence for one in found(ports).findings if one.id == "H06-server"]
    assert findings == ([told] if told else [])


def test_a_job_that_waits_for_long_is_told_with_the_release_of_the_workers() -> None:
    ports, world = healthy("compose")
    world.job(world.project("waits"), made=5)
    (before,) = sync_queue(ports).jobs
    another_release(ports)
    (after,) = sync_queue(ports).jobs
    assert "release" not in (before.why or "")
    assert (after.why or "").endswith("The workers are of another release (2) than the application (1).")


#: Only an engine knows whether a port is free.
ELSEWHERE = ("A05", "A05-other")


def test_a_service_whose_port_is_taken_gets_the_next_one_that_nobody_wants() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "WEB_HTTP_PORT=80\nWEB_HTTPS_PORT=443\nMINIO_API_PORT=444\n"
    FAULTS["A05"][0](ports)
    planned = found(ports, fix=True, options=DRY)
    assert "WEB_HTTPS_PORT: 443 → 445" in "".join(planned.steps)
    found(ports, fix=True)
    assert ports.deployment.settings.values()["WEB_HTTPS_PORT"] == "445"


def test_a_port_that_no_line_has_is_left_to_the_operator() -> None:
    ports, _ = healthy("compose")
    FAULTS["A05"][0](ports)
    assert the(found(ports, fix=True), "A05").result is Result.FOUND


@pytest.mark.parametrize("id", FAULTS)
def test_a_fault_is_found_with_its_evidence_and_repaired_where_that_is_promised(id: str) -> None:
    ports, _ = healthy("compose")
    make, evidence = FAULTS[id]
    make(ports)
    finding = the(found(ports), id)
    assert finding.result is Result.FOUND
    assert evidence in finding.evidence
    if finding.auto == "no" or id in ELSEWHERE:
        return
    planned = found(ports, fix=True, options=DRY)
    assert the(planned, id).result is Result.FOUND
    assert the(found(ports, fix=True), id).result is Result.FIXED
    assert id not in ids(found(ports))


def test_a_disk_that_counts_no_files_is_no_finding() -> None:
    ports, _ = healthy("compose")
    inspection(ports).host.space = (Inodes(0, 0, "/"),)
    assert found(ports).findings == ()


def test_what_a_job_left_today_stays() -> None:
    ports, _ = healthy("compose")
    left(ports)
    assert the(found(ports, fix=True), "C14").result is Result.FIXED
    assert [one.path for one in inspection(ports).host.folders] == ["/tmp/tmpb"]


def test_a_store_that_is_ill_and_one_that_is_down() -> None:
    ports, _ = healthy("compose")
    ports.runtime._wanted["minio"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["minio"] = {}  # pyright: ignore[reportPrivateUsage]
    assert "C02-down" in ids(found(ports))
    assert the(found(ports, fix=True), "C02-down").result is Result.FIXED


def test_a_store_that_says_itself_that_it_is_ill() -> None:
    ports, _ = healthy("compose")
    ports.runtime._wanted["minio"] = 1  # pyright: ignore[reportPrivateUsage]
    ports.runtime._running["minio"] = {"minio-1": 7}  # pyright: ignore[reportPrivateUsage]
    services = ports.runtime.services
    ill = lambda one: replace(one, health=Health.UNHEALTHY) if one.name == "minio" else one  # noqa: E731
    assert "C02" not in ids(found(ports))
    ports.runtime.services = lambda **_: tuple(map(ill, services()))
    assert the(found(ports), "C02").evidence == "The health check fails: minio."


def test_an_organization_whose_owner_may_not_log_in() -> None:
    ports, _ = healthy()
    ports.directory.user_rows["club"] = User("club", "", "organization", False, True, None, 0, None)
    ports.directory.user_rows["dora"] = User("dora", "", "person", False, False, None, 0, None)
    assert "owner-inactive" not in ids(found(ports))
    ports.directory.responsible_for_account = lambda _: "dora"
    assert "club (dora)" in the(found(ports), "owner-inactive").evidence


@pytest.mark.parametrize(
    ("host", "place", "is_found"),
    [
        ("smtp4dev", "0.0.0.0:8012", True),
        ("smtp4dev", "[::]:8012", True),
        ("smtp4dev", "127.0.0.1:8012", False),
        ("smtp4dev", "[::1]:8012", False),
        ("mail.example.org", "0.0.0.0:8012", False),
    ],
)
def test_mail_that_everybody_can_read(host: str, place: str, is_found: bool) -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env = ports.deployment.site.env.replace("EMAIL_HOST=mail.example.org", f"EMAIL_HOST={host}")
    add(ports, "smtp4dev", published=(place, "127.0.0.1:25"))
    made = found(ports)
    assert ("H06-open" in ids(made)) is is_found
    if is_found:
        assert the(made, "H06-open").evidence == f"smtp4dev answers without a login at {place}."


@pytest.mark.parametrize(
    ("line", "text", "is_found"),
    [
        ("WORKER_QGIS_MEMORY_LIMIT=2000m", "services: {}", True),
        ("CSRF_TRUSTED_ORIGINS=https://x", "services: {}", True),
        ("WORKER_TIMEOUT_S=900", "      WORKER_TIMEOUT_S: ${WORKER_TIMEOUT_S}", False),
        ("WORKER_QGIS_MEMORY_LIMIT=2000m", "services:\n  app:\n    env_file: .env", False),
        ("WORKER_QGIS_MEMORY_LIMIT=", "services: {}", False),
    ],
)
def test_lines_that_nothing_reads(line: str, text: str, is_found: bool) -> None:
    ports, _ = healthy("compose")
    ports.host.files[FOLDER / "docker-compose.yml"] = (text.encode(), 0o644)
    ports.deployment.site.env += f"{line}\n"
    assert ("D05-env" in ids(found(ports))) is is_found


def test_without_files_nobody_knows_what_is_read() -> None:
    ports, _ = healthy("compose")
    ports.deployment.site.env += "WORKER_QGIS_MEMORY_LIMIT=2000m\n"
    assert the(found(ports), "D05-env").result is Result.SKIPPED
