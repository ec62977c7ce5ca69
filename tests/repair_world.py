"""Faults of deployments that qfc repairs, by check: what a test of all repairs causes, alone and together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from checks_world import VALUES, answering, apply_edits, with_busy_workers
from qfc.stack.model import (
    ApiRequest,
    Certificate,
    LogLine,
    Neighbour,
    StoreContent,
    StoredBytes,
    StoreFacts,
    Subscription,
    TemporaryFolder,
    User,
)
from qfc.stack.model.conditions import CronRun
from qfc.stack.rate_limits import RateLimits
from queue_world import MemoryWorld
from twins import MemoryPorts
from twins.records import MemoryApi
from twins.site import FOLDER

Make = Callable[[MemoryPorts, MemoryWorld], object]
#: What `nginx -T` prints in v26.25, without what nobody reads: two servers of one name, one with a size.
NGINX_OF_V26 = """
# configuration file /etc/nginx/nginx.conf:
http {
    include /etc/nginx/conf.d/*.conf;
}
# configuration file /etc/nginx/conf.d/default.conf:
map "$allow_internal_http:$is_docker_internal" $base_redirect_to_https { "1:1" 0; default 1; }
server {
  listen 80;
  server_name memory;
  location /.well-known/acme-challenge/ { root /var/www/certbot; }
  if ($http_host !~ "memory(:80)?") { return 444; }
  include config.d/*.conf;
}
server {
  listen 443 ssl;
  server_name memory nginx;
  client_max_body_size 10g;
}
"""
STORE = StoreFacts("default", "s3", "http://minio:9000")
#: Repairs that change nothing but rows, tested on real databases (test_rows_*, test_waiting_twice).
IN_ROWS = {"G09", "H02", "H01-plan", "H05", "C13", "sessions", "audit-log", "cron-log", "twice"}
#: Repairs whose success only an engine or a registry can show.
ON_ENGINES = {"A05", "A05-other", "A11-cache", "E01-images", "D02"}
#: Repairs of a stack as a whole, tried with whole stacks.
ON_STACKS = {"I05", "I05-old", "protection"}


def of_env(id: str) -> Make:
    """Return what writes the lines of a faulty `.env`."""

    def make(ports: MemoryPorts, world: MemoryWorld) -> None:
        del world
        ports.deployment.site.env += f"{VALUES[id][0]}\n"

    return make


def service(ports: MemoryPorts, name: str, *, runs: bool = True) -> None:
    """Add a service to the runtime and its container to the engine."""
    if name not in ports.runtime._wanted:  # pyright: ignore[reportPrivateUsage]
        ports.runtime._wanted[name] = 1  # pyright: ignore[reportPrivateUsage]
        ports.runtime._running[name] = {}  # pyright: ignore[reportPrivateUsage]
    if runs:
        ports.runtime.start([name])


def limits_not_loaded(ports: MemoryPorts, world: MemoryWorld) -> None:
    """Limit synchronisations, then create nginx's container again."""
    del world
    ports.rate_limits.apply(RateLimits(10, 5))
    ports.rate_limits.recreated = True


def change(ports: MemoryPorts, name: str, **more: object) -> None:
    """Replace the containers of a service."""
    containers = ports.deployment.inspection.containers
    containers.rows = [replace(one, **more) if one.service == name else one for one in containers.rows]  # pyright: ignore[reportArgumentType]


def add(ports: MemoryPorts, called: str, **more: object) -> None:
    """Add a container."""
    containers = ports.deployment.inspection.containers
    containers.rows.append(replace(containers.of(called), **more))  # pyright: ignore[reportArgumentType]


def official(ports: MemoryPorts) -> None:
    """Use workers that start a container for each job."""
    ports.deployment.inspection.environment.given["worker_wrapper"] = {"QFIELDCLOUD_QGIS_IMAGE_NAME": "memory-app"}
    change(ports, "worker_wrapper", mounts=("/var/run/docker.sock",))


def wrote(ports: MemoryPorts, name: str, text: str) -> None:
    """Add a line to a log; a recreated container begins a new one."""
    ports.runtime.lines.append(LogLine(name, f"{name}-1", ports.clock.now(), "ERROR", text))
    known = ports.runtime.recreate

    def recreate(names: Sequence[str] | None, *, now: bool = False) -> None:
        ports.runtime.lines = [one for one in ports.runtime.lines if names is not None and one.service not in names]
        known(names, now=now)

    ports.runtime.recreate = recreate


def orphans(ports: MemoryPorts, world: MemoryWorld) -> None:
    """Leave containers of removed services: one that holds nothing, a database that runs, one that ended."""
    del world
    add(ports, "mailer")
    add(ports, "geodb", mounts=("/var/lib/postgresql/data",))
    add(ports, "oldstore", state="exited", mounts=("/data",))
    ports.deployment.inspection.containers.orphaned = ("mailer", "geodb", "oldstore")


def missing_variable(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.host.files[FOLDER / "docker-compose.yml"] = (b"services: {app: {environment: {A: '${NEW_ONE}'}}}", 0o644)
    ports.host.files[FOLDER / ".env.example"] = (b"NEW_ONE=7\n", 0o644)


def lost_network(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    official(ports)
    ports.deployment.site.env += "QFIELDCLOUD_DEFAULT_NETWORK=gone\n"


def neighbour(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    official(ports)
    ports.deployment.inspection.engine.neighbours = (Neighbour("other", "/srv/other"),)


def left_by_jobs(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    official(ports)
    ports.deployment.inspection.host.folders = [TemporaryFolder("/tmp/tmpa", 90_000, "job-1")]
    old = ports.clock.now() - timedelta(hours=30)
    add(ports, "worker_wrapper", id="of-job", name="job", service="", job_id="job-1", state="exited", finished_at=old)


def store_down(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    service(ports, "minio", runs=False)
    ports.deployment.inspection.environment.known_stores = (STORE,)


def orphan_job(status: str, made: float, started: float | None) -> Make:
    """Return what leaves a job of a dead worker."""

    def make(ports: MemoryPorts, world: MemoryWorld) -> None:
        del ports
        project = world.project(f"blocked-{status}")
        job = world.job(project, status, type="delta_apply", made=made, started=started)
        world.delta(project, "started", job=job)

    return make


def lost_edit(ports: MemoryPorts, world: MemoryWorld) -> None:
    with_busy_workers(ports, lambda: apply_edits(ports))
    world.delta(world.project("edited"), "not_applied")


def lost_over_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    with_busy_workers(ports, lambda: apply_edits(ports))
    project = world.project("full")
    feedback = {"error_type": "API_PAYMENT_REQUIRED"}
    failed = world.job(project, "failed", type="delta_apply", started=5, ended=4, feedback=feedback)
    world.delta(project, "not_applied", job=failed)


def failed_by_the_server(ports: MemoryPorts, world: MemoryWorld) -> None:
    project = world.project("innocent")
    ports.directory.project_rows[project] = replace(ports.directory.project_rows[project], status="failed")
    feedback = {"error": "network memory_default not found"}
    world.job(project, "failed", type="process_projectfile", started=5, ended=4, feedback=feedback)
    known = ports.jobs.retry

    def retry(ids: Sequence[str], *, dry_run: bool = False) -> object:
        ports.directory.project_rows[project] = replace(ports.directory.project_rows[project], status="busy")
        return known(ids, dry_run=dry_run)

    ports.jobs.retry = retry  # pyright: ignore[reportAttributeAccessIssue]


def inactive(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.subscriptions["alice"] = Subscription("community", "inactive_draft", 10**8, 0, None, True)


def over_quota(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.user_rows["bob"] = User("bob", "b@example.com", "person", False, True, None, 2 * 10**8, 10**8)
    ports.directory.subscriptions["bob"] = Subscription("community", "active_paid", 10**8, 0, None, True)


def failed_at_a_limit(feedback: Mapping[str, object], setting: str, value: str) -> Make:
    """Return what fails a job at a limit of the application."""

    def make(ports: MemoryPorts, world: MemoryWorld) -> None:
        values = {setting: value}

        def constance(service: str, argv: Sequence[str], stdin: bytes) -> str:
            del service, stdin
            if argv[2] not in values:
                return "1\n"
            if argv[1] == "set":
                values[argv[2]] = argv[3]
            return f"{values[argv[2]]}\n"

        answering(ports, "constance", constance)
        world.job(world.project(f"at-{setting}"), "failed", type="package", started=5, ended=4, feedback=dict(feedback))

    return make


def past_nginx(ports: MemoryPorts, world: MemoryWorld) -> None:
    ports.deployment.site.env += "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://app:8000/api/v1/\n"
    feedback = {"error": 'Requested "http://app:8000/api/v1/files/" and got "500 Internal Server Error"'}
    world.job(world.project("past"), "failed", type="package", started=5, ended=4, feedback=feedback)


def migrations_pending(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    site = ports.deployment.site
    release = site.release
    site.releases = {**site.releases, site.commit: replace(release, migrations=(*release.migrations, "core.0002"))}


def new_database(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.directory.migrations = ()


def new_with_shipped_keys(ports: MemoryPorts, world: MemoryWorld) -> None:
    new_database(ports, world)
    ports.deployment.site.env += "SALT_KEY=change_me\n"


def lost_logs(ports: MemoryPorts, world: MemoryWorld) -> None:
    error = {"error": "[QFC/Worker/1001] Failed to read logs."}
    world.job(world.project("logless"), "failed", made=3, started=0, ended=0, feedback=error)
    wrote(ports, "worker_wrapper", "[QFC/Worker/1001] Failed to read logs.")


def no_style_sheets(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    sheet = "/staticfiles/admin/css/base.css"
    ports.api.answers[sheet] = (404, b"")

    def collect(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        ports.api.answers[sheet] = (200, b"")
        return ""

    answering(ports, "collectstatic", collect)


def static_list(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    wrote(ports, "app", "ValueError: Missing staticfiles manifest entry for 'admin/css/base.css'")

    def collect(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        ports.runtime.lines = [one for one in ports.runtime.lines if one.service != "app"]
        return ""

    answering(ports, "collectstatic", collect)


def another_address(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world

    class OfNginx(MemoryApi):
        def __init__(self) -> None:
            super().__init__({}, self._answer)

        def _answer(self, request: ApiRequest) -> tuple[int, bytes]:
            del request
            restarted = any(line.service == "nginx" and line.text == "stopped" for line in ports.runtime.lines)
            return (200 if restarted else 502), b"{}"

    ports.deployment.routes = {"nginx": OfNginx(), "app": MemoryApi({}, lambda _: (200, b"{}"))}


def certificate(ports: MemoryPorts, **more: object) -> Certificate:
    now = ports.clock.now()
    known = {"subject": "CN=memory", "names": ("memory",), "issuer": "CN=R3", "serial": "01", "fingerprint": "aa",
             "not_before": now - timedelta(days=9), "not_after": now + timedelta(days=80), "chain": 2,
             "trusted": True}  # fmt: skip
    return Certificate(**{**known, **more})  # pyright: ignore[reportArgumentType]


def renewed(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.api.url = "https://memory"
    ports.deployment.certificates.given = certificate(ports)
    ports.deployment.certificates.file = certificate(ports, fingerprint="bb", serial="02")


def no_certificate(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.api.url = "https://memory"
    ports.deployment.certificates.given = certificate(ports)
    ports.deployment.certificates.missing = True


def empty_keys(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    compose = b"services: {app: {environment: {SECRET_KEY: '${SECRET_KEY}', SALT_KEY: '${SALT_KEY}'}}}"
    ports.host.files[FOLDER / "docker-compose.yml"] = (compose, 0o644)
    ports.deployment.site.env += "SECRET_KEY=\nSALT_KEY=a-salt-of-our-own\n"


def small_uploads(ports: MemoryPorts, world: MemoryWorld) -> None:
    """Let workers use http, where nginx takes 1 MB, beside a public address that jobs can use."""
    del world
    compose = b"services: {nginx: {environment: {A: '${NGINX_ALLOW_INTERNAL_HTTP:-0}'}}}"
    ports.host.files[FOLDER / "docker-compose.yml"] = (compose, 0o644)
    ports.deployment.site.env += "QFIELDCLOUD_HOST=memory\nNGINX_ALLOW_INTERNAL_HTTP=1\n"
    ports.deployment.site.env += "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL=http://memory/api/v1/\n"
    ports.api.url = "https://memory"
    ports.deployment.certificates.given = certificate(ports)
    ports.deployment.inspection.network.answers["https://memory/api/v1/status/"] = 200
    answering(ports, "nginx", lambda *_: NGINX_OF_V26)


def deleted_files(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    ports.conditions.projects.stores_in_use = lambda: {"default": 2}  # pyright: ignore[reportAttributeAccessIssue]
    stored = (StoredBytes("gone", 0, 270_000_000),)
    ports.deployment.inspection.stores.given = (StoreContent("default", True, True, stored),)


def cron_stopped(ports: MemoryPorts, world: MemoryWorld) -> None:
    service(ports, "ofelia")
    world.job(world.project("waits"), made=2)
    last = [ports.clock.now() - timedelta(minutes=30)]
    ports.conditions.server.cron_runs = lambda: (CronRun("clean_up", last[0], last[0]),)  # pyright: ignore[reportAttributeAccessIssue]

    def run(service: str, argv: Sequence[str], stdin: bytes) -> str:
        del service, argv, stdin
        last[0] = ports.clock.now()
        return ""

    answering(ports, "runcrons", run)


def fewer_workers(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    running = ports.runtime._running["worker_wrapper"]  # pyright: ignore[reportPrivateUsage]
    running.pop(next(iter(running)))


def passwords(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    site = ports.deployment.site
    site.extra["minio"] = "minio:1"
    storages = {"default": {"OPTIONS": {"access_key": "minioadmin", "secret_key": "minioadmin"}}}
    site.env += f"POSTGRES_PASSWORD=postgres\nMINIO_ROOT_PASSWORD=minioadmin\nSTORAGES='{json.dumps(storages)}'\n"


def files_not_named(ports: MemoryPorts, world: MemoryWorld) -> None:
    del world
    lines = ports.deployment.site.env.splitlines(keepends=True)
    ports.deployment.site.env = "".join(line for line in lines if not line.startswith("COMPOSE_FILE="))
    files = f"{FOLDER}/docker-compose.yml,{FOLDER}/mine/extra.yml,/etc/more.yml"
    change(ports, "app", labels={"com.docker.compose.project.config_files": files})


#: By check: how its fault is caused.
FAULTS: Mapping[str, Make] = {
    **{id: of_env(id) for id in ("A01", "A02", "A05-env", "A06", "B03", "B04", "B06", "B07", "B11", "C07", "D10",
                                 "H06-tls", "H06-verify", "H07")},
    "A01-files": files_not_named,
    "A03": no_style_sheets,
    "rate-limits": limits_not_loaded,
    "A03-log": static_list,
    "A09": orphans,
    "A10-new": new_with_shipped_keys,
    "A10-passwords": passwords,
    "A11": lambda ports, _: ports.runtime.stop(["app"]),
    "A11-policy": lambda ports, _: change(ports, "app", restart_policy="no"),
    "A12": missing_variable,
    "A13-new": new_database,
    "A13-pending": migrations_pending,
    "B06-jobs": past_nginx,
    "B10": renewed,
    "B13": lambda ports, _: (
        setattr(ports.deployment.site, "env", f"{ports.deployment.site.env}NGINX_CLIENT_MAX_BODY_SIZE=50m\n"),
        wrote(ports, "nginx", "*5 client intended to send too large body: 11000000 bytes"),
    ),
    "B14": lambda ports, _: wrote(ports, "app", "WORKER TIMEOUT (pid:17)"),
    "B14-nginx": another_address,
    "B18": no_certificate,
    "C02-down": store_down,
    "C11-jobs": failed_at_a_limit({"error": "Killed"}, "WORKER_QGIS_MEMORY_LIMIT", "1000m"),
    "C14": left_by_jobs,
    "D01-network": lost_network,
    "D04-jobs": failed_at_a_limit({"error": "", "error_type": "TIMEOUT"}, "WORKER_TIMEOUT_S", "600"),
    "D05-jobs": failed_at_a_limit(
        {"error": "", "error_type": "DOCKER_ENGINE_SIGKILL"}, "WORKER_QGIS_MEMORY_LIMIT", "1000m"
    ),
    "D06": neighbour,
    "D07": orphan_job("queued", 30, None),
    "D08": orphan_job("started", 90, 80),
    "D08-cron": cron_stopped,
    "D11": lambda ports, world: (ports.runtime.stop(["worker_wrapper"]), world.job(world.project("later"), made=2)),
    "D11-few": fewer_workers,
    "D15-log": lost_logs,
    "A10-empty": empty_keys,
    "B13-workers": small_uploads,
    "E09": failed_by_the_server,
    "deleted-files": deleted_files,
    "F08": lost_over_quota,
    "F09": lost_edit,
    "H01": inactive,
    "H03": over_quota,
}  # fmt: skip
