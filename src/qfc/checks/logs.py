"""What services wrote into their logs since they started: lines that are known to mean a problem."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ..errors import RefusedError
from ..stack.model import Job, LogLine, ServiceState
from ..stack.redaction import Redactor, secrets_of
from .base import Auto, Check, Severity
from .env_repairs import RepairsEnv, Values
from .evidence import Evidence, named

#: So far back lines are read, and so many of a service at most.
BACK, LINES = timedelta(hours=1), 2000
#: Where below our own folder that is kept which is left of a job's log, and from how long before and after it.
JOB_LOGS, MARGIN = "job-logs", timedelta(seconds=5)
#: A longer line is cut in a sentence, between words: half a secret would not be known for one.
SHOWN = 160
APP, WORKER, NGINX, DATABASE = "app", "worker_wrapper", "nginx", "db"
#: What `.env` says of nginx' largest request and of how long requests may take; what releases do without it.
BODY, USUAL_BODY = "NGINX_CLIENT_MAX_BODY_SIZE", "10g"
GUNICORN, NGINX_LIMITS = "GUNICORN_TIMEOUT_S", ("NGINX_PROXY_READ_TIMEOUT", "NGINX_PROXY_SEND_TIMEOUT")
USUAL_S, MOST_S = 300, 3600
#: Fewer failed requests than these say nothing of a server.
MANY_FAILED, FAILED_SHARE = 20, 0.05


class LogPattern(Check):
    """A line that a service wrote since it started; `pattern` is how it is known."""

    def __init__(
        self, id: str, title: str, severity: Severity, fix: str, services: Sequence[str], pattern: str, *more: str
    ) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self.problems = (id.partition("-")[0], *more)  # pyright: ignore[reportAttributeAccessIssue]
        self._services, self._pattern = tuple(services), re.compile(pattern)

    def look(self, seen: Evidence) -> str | None:
        """Look through the logs of the services that write such a line."""
        lines = [line for name in self._services for line in lines_of(seen, name) if self._pattern.search(line.text)]
        if not lines:
            return None
        last, found = lines[-1], self._pattern.search(lines[-1].text)
        at = f" at {last.time:%Y-%m-%d %H:%M} UTC" if last.time else ""
        told = textwrap.shorten(found[0], SHOWN, placeholder="…") if found else ""
        return f"{last.service} wrote {len(lines)} such lines, the last one{at}: {told}"


class LogsLost(LogPattern):
    """D15: the log of a job was not kept with it. What the worker itself wrote meanwhile is kept before it is gone."""

    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for the jobs whose logs were lost, and whether what is left of them is kept."""
        told, left = super().look(seen), self._left(seen)
        if told is None or (left and not self._not_kept(seen)):
            return None
        return f"{told} Jobs: {named(job[:8] for job in left)}." if left else told

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return what is kept where. Raises RefusedError where nothing is left."""
        files = self._not_kept(seen)
        if not files:
            raise RefusedError("Nothing is left of these logs.", hint=self.fix)
        return tuple(f"keep what the worker wrote in {JOB_LOGS}/{name}" for name in files)

    def repair(self, seen: Evidence) -> None:
        """Keep it, without secrets."""
        for name, text in self._not_kept(seen).items():
            seen.ports.records.write_text(f"{JOB_LOGS}/{name}", text)

    def _not_kept(self, seen: Evidence) -> dict[str, str]:
        """Return what is to be kept, by the names of files."""
        if not seen.is_deployment:
            return {}
        kept = seen.once("kept job logs", lambda: seen.ports.records.names(JOB_LOGS))
        files = {f"{job}.log": text for job, text in self._left(seen).items()}
        return {name: text for name, text in files.items() if name not in kept}

    def _left(self, seen: Evidence) -> dict[str, str]:
        """Return what workers wrote while jobs ran whose logs were lost, by the ids of these."""
        lines = lines_of(seen, WORKER)
        texts = {job.id: "\n".join(_while(job, lines)) for job in seen.failed_of("D15")}
        redacted = Redactor(secrets_of(seen.settings()) if seen.is_deployment else (), {})
        return {job: redacted(text) + "\n" for job, text in texts.items() if text}


def _while(job: Job, lines: Sequence[LogLine]) -> list[str]:
    began, ended = job.started_at or job.created_at, job.finished_at or job.updated_at or job.created_at
    within = (line for line in lines if line.time and began - MARGIN <= line.time <= ended + MARGIN)
    return [f"{line.time:%Y-%m-%dT%H:%M:%SZ} {line.text}" for line in within]


class LogPatternForSetting(LogPattern, RepairsEnv):
    """Such a line that other lines of `.env` put right; what services said before is not read again then."""

    auto = Auto.ASK

    def __init__(
        self,
        id: str,
        title: str,
        severity: Severity,
        fix: str,
        services: Sequence[str],
        pattern: str,
        correct: Callable[[Values], Values],
    ) -> None:
        super().__init__(id, title, severity, fix, services, pattern)
        self._correct = correct
        #: Whoever is made anew says from then on what is so now.
        self.services = tuple(services)

    def corrected(self, seen: Evidence) -> Values:
        """Return the lines as they would be right."""
        return self._correct(seen.settings())


def larger_bodies(values: Values) -> Values:
    """Let nginx take what releases take by themselves, where `.env` allows less; other limits are those of a proxy."""
    return {BODY: USUAL_BODY} if 0 < _bytes(values.get(BODY, "")) < _bytes(USUAL_BODY) else {}


def longer_requests(values: Values) -> Values:
    """Give requests twice their time, up to an hour."""
    limits = {name: values.get(name, "") for name in (GUNICORN, *NGINX_LIMITS) if name == GUNICORN or name in values}
    seconds = {name: int(value.removesuffix("s") or USUAL_S) for name, value in limits.items() if _is_seconds(value)}
    longer = {name: min(MOST_S, 2 * limit) for name, limit in seconds.items() if limit < MOST_S}
    return {name: f"{limit}{'s' if limits[name].endswith('s') else ''}" for name, limit in longer.items()}


def _is_seconds(value: str) -> bool:
    return not value or value.removesuffix("s").isdigit()


def _bytes(size: str) -> int:
    """Read a size as nginx does; 0 where it is none, and 0 is without limit to nginx."""
    found = re.fullmatch(r"(\d+)([kmg]?)", size.strip().lower())
    return int(found[1]) * 1024 ** " kmg".index(found[2] or " ") if found else 0


class FailedRequests(Check):
    """B15: what clients see is a page of nginx; what happened stands in its log."""

    id = "B15"
    title = "Many requests fail"
    severity = Severity.WARNING
    fix = "Which, and since when: qfc logs --service nginx --grep ' 5[0-9][0-9] '; then qfc logs --service app"

    def look(self, seen: Evidence) -> str | None:
        """Count the answers of nginx with a status from 500."""
        requests = [found for line in lines_of(seen, NGINX) if (found := _REQUEST.match(line.text))]
        failed = [found for found in requests if found[1] >= "500"]
        if len(failed) < MANY_FAILED or len(failed) < FAILED_SHARE * len(requests):
            return None
        return (
            f"{len(failed)} of the last {len(requests)} requests were answered with 5xx, the last one {failed[-1][0]}."
        )


_REQUEST = re.compile(r"[A-Z]+ (\d{3}) \S+")


def lines_of(seen: Evidence, service: str) -> tuple[LogLine, ...]:
    """Return the last lines of a service, of now and not of before it was started anew; none without the service."""

    def read() -> tuple[LogLine, ...]:
        runtime = seen.ports.runtime
        return tuple(runtime.logs([service], lines=LINES, since=_since(seen, service), follow=False))

    return seen.once(f"log of {service}", read) if service in seen.services() else ()


def _since(seen: Evidence, service: str) -> datetime:
    """Return when the oldest of its instances started, at most an hour ago.

    What stands before that was mended by whoever started it anew, or stands behind it again. Of one that starts again
    and again all is read.
    """
    now, one = seen.ports.clock.now(), seen.services()[service]
    uptimes = [each.uptime_s for each in one.instances if each.uptime_s is not None]
    if not uptimes or one.state is not ServiceState.RUNNING:
        return now - BACK
    return max(now - BACK, now - timedelta(seconds=max(uptimes) + 1))


LOGS: tuple[Check, ...] = (
    LogPattern("A06-log", "A value with a comment in it", Severity.CRITICAL, 
               "Put the comment on a line of its own in .env",
               [APP, WORKER], r"invalid sslmode value"),
    LogPattern("A12-log", "The application lacks a variable", Severity.CRITICAL,
               "Add it to .env as the release's .env.example has it; then qfc services recreate",
               [APP, WORKER], r"KeyError: '[A-Z][A-Z_0-9]{2,}'"),
    LogPattern("A13-log", "The application lacks tables", Severity.CRITICAL, "Make them: qfc db migrate",
               [APP, WORKER], r'relation "(?!project_project)[a-z_]+" does not exist'),
    LogPattern("A15-log", "The disk was full", Severity.CRITICAL, "What takes it: qfc services disk",
               [DATABASE, APP, WORKER], r"No space left on device"),
    LogPattern("A11-log", "The cache was not reached", Severity.CRITICAL,
               "qfc services restart --service memcached; then edits that failed of it: qfc deltas reapply --all",
               [WORKER], r"MemcacheUnexpectedCloseError|pymemcache\.exceptions\.\w+"),
    LogPattern("B02", "nginx refuses its configuration", Severity.CRITICAL,
               "Remove the fragment that has the location twice",
               [NGINX], r"\[emerg\] .*duplicate location|duplicate location \S+ in \S+"),
    LogPattern("B05-log", "Downloads are refused", Severity.CRITICAL,
               "WEB_HTTPS_PORT has to be the port that clients use, and requests have to come through nginx",
               [APP], r"Expected to either run behind nginx proxy, debug mode or within a test suite"),
    LogPattern("B12", "A certificate of another server is not trusted", Severity.WARNING,
               "Give the authority's certificate in QFIELDCLOUD_CUSTOM_CA_HOST_FILENAME, with "
               "docker-compose.override.ca.yml",
               [APP, WORKER], r"CERTIFICATE_VERIFY_FAILED"),
    LogPatternForSetting("B13", "A file was too big for nginx", Severity.WARNING,
               "Raise client_max_body_size of the proxy in front, and NGINX_CLIENT_MAX_BODY_SIZE",
               [NGINX], r"client intended to send too large body|^(POST|PUT|PATCH) 413 \S+", larger_bodies),
    LogPatternForSetting("B14", "Requests took too long", Severity.WARNING,
               "Raise GUNICORN_TIMEOUT_S and NGINX_PROXY_READ_TIMEOUT; look at the store: qfc health --verbose",
               [NGINX, APP], r"upstream timed out|WORKER TIMEOUT", longer_requests),
    LogPattern("B16", "nginx does not find the store", Severity.CRITICAL,
               "Use an endpoint that nginx's resolver knows, or an address",
               [NGINX], r"\S+ could not be resolved"),
    LogPattern("B18-log", "nginx cannot read its certificate", Severity.CRITICAL, "Which file: qfc certs status",
               [NGINX], r"cannot load certificate(?: key)? \"[^\"]*\""),
    LogPattern("C07-log", "The application refuses STORAGES", Severity.CRITICAL, "Correct it in .env",
               [APP, WORKER], r"ConfigValidationError"),
    LogPattern("C10-log", "A file was too big for the database", Severity.WARNING,
               "Releases before May 2025 take files below 2 GB only: upgrade",
               [APP, WORKER], r"integer out of range"),
    LogPattern("D09", "A worker does not know a kind of job", Severity.CRITICAL,
               "Let app and workers be of one release: qfc deploy --tag TAG; then qfc jobs cleanup",
               [WORKER], r"Unknown job type"),
    LogPattern("D12-log", "Workers write to a database that is none to write to", Severity.CRITICAL,
               "POSTGRES_HOST has to be the primary server",
               [WORKER, APP], r"Expected `?worker_wrapper`? to be connected to the master DB node"
               r"|cannot execute \w+ in a read-only transaction"),
    LogPattern("D13-log", "Workers may not use the engine", Severity.CRITICAL,
               "Let worker_wrapper mount /var/run/docker.sock of an engine that runs as root",
               [WORKER], r"docker\.errors\.DockerException|[Pp]ermission denied.{0,60}docker\.sock"),
    LogsLost("D15-log", "Logs of jobs were lost", Severity.WARNING, "Look at the engine: qfc services disk",
               [WORKER], r"\[QFC/Worker/1001\]"),
    LogPattern("E08-log", "Stored secrets cannot be read", Severity.CRITICAL,
               "Give SECRET_KEY and SALT_KEY the values of before; a copy of .env is kept by every deployment",
               [APP, WORKER], r"cryptography\.fernet\.InvalidToken"),
    LogPattern("F06", "Edits came twice", Severity.INFO, "Releases before 2022 block the device then: upgrade",
               [APP], r"duplicate_deltafile"),
    LogPattern("F11", "Edits could not be applied again in the admin", Severity.WARNING,
               "Apply them with: qfc deltas reapply",
               [NGINX], r"^POST 500 /admin/core/delta\S*"),
    LogPattern("G07", "nginx refuses edits", Severity.CRITICAL,
               "Requests of devices have to reach the application: look for a location of your own in nginx",
               [NGINX], r"^(POST|PUT) 405 /api/v1/deltas/\S*"),
    LogPattern("G08", "A client asks for the plan of somebody else", Severity.INFO,
               "No fault of the server: QFieldSync asks for every owner",
               [NGINX], r"^GET 403 /api/v1/subscriptions/\S+"),
    LogPattern("H06-log", "Mail could not be sent", Severity.WARNING,
               "Check EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS and account",
               [APP], r"smtplib\.SMTP\w+"),
    LogPattern("I02", "The table of projects was not renamed", Severity.CRITICAL,
               "Go back, then to a release of the second half of August 2026 or later: qfc deploy rollback",
               [APP, WORKER], r'relation "project_project" does not exist'),
    LogPattern("I03-log", "The data are of another PostgreSQL", Severity.CRITICAL,
               "Use the image of before (POSTGIS_IMAGE_VERSION), then move the data by dump and restore",
               [DATABASE], r"database files are incompatible with server"),
    LogPattern("connections-log", "The database has no room for connections", Severity.CRITICAL,
               "Fewer workers of gunicorn, or a higher max_connections",
               [DATABASE, APP], r"remaining connection slots are reserved|sorry, too many clients already"),
    FailedRequests(),
)  # fmt: skip
