"""Healthy stacks in memory, for the tests of checks, and settings that cause problems."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from conditions_world import announce, store, superuser
from qfc.checks import EVERYTHING, Auto
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import Diagnosis, diagnose
from qfc.stack.findings import Finding, Result
from qfc.stack.model import Revision, Worker
from queue_world import DatabaseWorld, MemoryWorld, moment
from twins import MemoryPorts, Release, memory_deployment, memory_stack

YES, DRY = Options(yes=True), Options(dry_run=True)
ENV = (
    "QFIELDCLOUD_WORKER_REPLICAS=2\nQFIELDCLOUD_HOST=field.example.org\nDEBUG=0\nENVIRONMENT=production\n"
    'SECRET_KEY=a-b-c\nDJANGO_ALLOWED_HOSTS="field.example.org app nginx"\nTMP_DIRECTORY=/tmp\n'
    'STORAGES={"default": {"BACKEND": "s3"}}\nEMAIL_HOST=mail.example.org\n'
)


def healthy(kind: str = "embedded") -> tuple[MemoryPorts, MemoryWorld]:
    if kind == "embedded":
        ports = memory_stack()
    else:
        ports = memory_deployment(Release(Revision("a" * 40, "v1"), {}, ("core.0001",)))
        ports.deployment.site.env = ENV
    ports.clock.moment = moment()
    ports.runtime.start(None)
    ports.directory.migrations = ("core.0001",)
    ports.jobs.worker_rows += [Worker("w1", "idle"), Worker("w2", "idle")]
    world = MemoryWorld(ports.jobs, ports.directory)
    world.subscribe("alice")
    survey = world.project("survey")
    world.job(survey, "finished", started=5, ended=4)
    world.delta(survey, "applied")
    return ports, world


def on_rows(ports: MemoryPorts, world: DatabaseWorld) -> MemoryPorts:
    """Return ports whose database is a real one."""
    real: dict[str, Any] = {"jobs": world.store, "directory": world.directory, "conditions": world.conditions}
    return replace(ports, **real, rows=world.lab)


def settle(world: DatabaseWorld) -> None:
    """Make a database healthy: alice has a plan and all permissions, and her project is in order."""
    world.subscribe("alice")
    superuser(world, "alice")
    details = {"qgis_version": "3.40.6", "layers_by_id": {"trees": {"datasource": "trees.gpkg|layername=trees"}}}
    project = world.project("survey", details=json.dumps(details))
    for name, size in (("survey.qgs", 400), ("data/trees.gpkg", 500), ("DCIM/tree.jpg", 100)):
        store(world, project, name, size)
    job = world.job(project, "finished", type="delta_apply", made=90, started=89, ended=88)
    announce(world, world.delta(project, "applied", job=job, made=90), **{"DCIM/tree.jpg": "aa"})
    world.job(project, "finished", made=80, started=79, ended=78)


def answering(ports: MemoryPorts, name: str, answer: Callable[[str, Sequence[str], bytes], str]) -> None:
    """Add a command to the application."""
    known = ports.runtime.execute_with

    def execute(service: str, argv: Sequence[str], stdin: bytes) -> str:
        return (answer if argv[0] == name else known)(service, argv, stdin)

    ports.runtime.execute_with = execute


def with_busy_workers(ports: MemoryPorts, apply: Callable[[], object]) -> None:
    """Let edits be applied while somebody waits."""
    known = ports.clock.sleep

    def sleep(seconds: float) -> None:
        apply()
        known(seconds)

    ports.clock.sleep = sleep


def apply_edits(ports: MemoryPorts) -> None:
    """Apply every edit that waits in memory."""
    rows = ports.jobs.delta_rows
    for name, one in rows.items():
        if one.status in ("pending", "started"):
            rows[name] = replace(one, status="applied")


def expect(ports: MemoryPorts, id: str, evidence: str, others: Sequence[str] = ()) -> None:
    """Insist that a fault is found with its evidence, only `others` with it, and repaired if the check can do so."""
    made = found(ports)
    finding = the(made, id)
    assert evidence in finding.evidence
    assert set(ids(made)) == {id, *others}
    if finding.auto is Auto.NO:
        return
    assert the(found(ports, fix=True, options=DRY), id).result is Result.FOUND
    assert the(found(ports, fix=True), id).result is Result.FIXED
    assert id not in ids(found(ports))


def found(ports: MemoryPorts, *, fix: bool = False, options: Options = YES) -> Diagnosis:
    return diagnose(ports, EVERYTHING, options, fix=fix, proof=False)


def the(diagnosis: Diagnosis, id: str) -> Finding:
    (finding,) = [one for one in diagnosis.findings if one.id == id]
    return finding


def ids(diagnosis: Diagnosis) -> list[str]:
    return [one.id for one in diagnosis.findings]


VALUES: Mapping[str, tuple[str, str]] = {
    "A01": ("COMPOSE_FILE=docker-compose.yml:docker-compose.override.local.yml", "override.local"),
    "A02": ("DEBUG=1", "DEBUG=1"),
    "A06": ('POSTGRES_SSLMODE="prefer # or require"', "POSTGRES_SSLMODE"),
    "A10": ("SECRET_KEY=change_me", "SECRET_KEY"),
    "A10-passwords": ("POSTGRES_PASSWORD=3shJDd2r7Twwkehb", "POSTGRES_PASSWORD"),
    "B03": ("QFIELDCLOUD_HOST=Field.example.org", "Field.example.org"),
    "B04": ("DJANGO_ALLOWED_HOSTS=localhost", "DJANGO_ALLOWED_HOSTS lacks app, nginx."),
    "B11": ("LETSENCRYPT_STAGING=1\nLETSENCRYPT_EMAIL=a@b.ch\nQFIELDCLOUD_TLS_CERT=/etc/letsencrypt/live/x", "STAGING"),
    "C07": ('STORAGES={"files": {"BACKEND": "s3"}}', "STORAGES lacks the store default"),
    "C08": ('STORAGES={"default": {"OPTIONS": {"webdav_url": "https://u:hunter2@dav/"}}}', "webdav_url"),
    "D10": ("TMP_DIRECTORY=/srv/tmp", "/srv/tmp"),
    "H06": ("EMAIL_HOST=smtp4dev", "smtp4dev"),
    "H06-verify": ("ACCOUNT_EMAIL_VERIFICATION=mandatory\nEMAIL_HOST=", "but no mail is delivered"),
    "H07": ("QFIELDCLOUD_ACCOUNT_ADAPTER=core.adapters.AccountAdapterSignUpOpen", "Anybody"),
    "B07": ("QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://nginx/api/v1/", "nginx redirects http to https"),
    "H06-tls": ("EMAIL_USE_TLS=1", "the word true"),
    "I04": ("SQL_DATABASE=x", "SQL_DATABASE (now POSTGRES_DB)"),
    "B06": ("QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://app:8000/api/v1/", "downloads that bypass nginx"),
    "A05-env": ("WEB_HTTP_PORT=8080\nHOST_POSTGRES_PORT=8080", "WEB_HTTP_PORT and HOST_POSTGRES_PORT are both 8080"),
}
