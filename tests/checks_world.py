"""Healthy stacks in memory, for the tests of checks, and settings that make trouble."""

from __future__ import annotations

from collections.abc import Mapping

from qfc.checks import EVERYTHING
from qfc.operations.findings import Finding
from qfc.operations.guard import Options
from qfc.operations.sync_diagnose import Diagnosis, diagnose
from qfc.stack.model import Revision, Worker
from queue_world import NOW, MemoryWorld
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
    ports.clock.moment = NOW
    ports.runtime.start([])
    ports.directory.migrations = ("core.0001",)
    ports.jobs.worker_rows += [Worker("w1", "idle"), Worker("w2", "idle")]
    world = MemoryWorld(ports.jobs, ports.directory)
    world.subscribe("alice")
    survey = world.project("survey")
    world.job(survey, "finished", started=5, ended=4)
    world.delta(survey, "applied")
    return ports, world


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
    "C07": ('STORAGES={"files": {"BACKEND": "s3"}}', "STORAGES has no store default"),
    "C08": ('STORAGES={"default": {"OPTIONS": {"webdav_url": "https://u:hunter2@dav/"}}}', "webdav_url"),
    "D10": ("TMP_DIRECTORY=/srv/tmp", "/srv/tmp"),
    "H06": ("EMAIL_HOST=smtp4dev", "smtp4dev"),
    "H07": ("QFIELDCLOUD_ACCOUNT_ADAPTER=core.adapters.AccountAdapterSignUpOpen", "Anybody"),
    "B07": ("QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://nginx/api/v1/", "nginx sends http on to https"),
    "H06-tls": ("EMAIL_USE_TLS=1", "the word true"),
    "I04": ("SQL_DATABASE=x", "SQL_DATABASE (now POSTGRES_DB)"),
    "B06": ("QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://app:8000/api/v1/", "passes nginx by"),
    "A05-env": ("WEB_HTTP_PORT=8080\nHOST_POSTGRES_PORT=8080", "WEB_HTTP_PORT and HOST_POSTGRES_PORT are both 8080"),
}
