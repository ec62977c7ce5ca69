"""The logs of services since they started: lines that are known to mean a problem."""

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
from .evidence import Evidence, counted, named

#: How far back logs are read, and how many lines of a service at most.
BACK, LINES = timedelta(hours=1), 2000
#: The folder, below our own, for the remains of jobs' logs, and the time before and after a job that they include.
JOB_LOGS, MARGIN = "job-logs", timedelta(seconds=5)
#: Longest part of a line in a sentence, in characters. It is cut between words: half a secret is not recognised.
SHOWN = 160
APP, WORKER, NGINX, DATABASE = "app", "worker_wrapper", "nginx", "db"
#: The variables of `.env` for nginx's largest request and the time limits of requests, and the releases' defaults.
BODY, USUAL_BODY = "NGINX_CLIENT_MAX_BODY_SIZE", "10g"
GUNICORN, NGINX_LIMITS = "GUNICORN_TIMEOUT_S", ("NGINX_PROXY_READ_TIMEOUT", "NGINX_PROXY_SEND_TIMEOUT")
USUAL_S, MOST_S = 300, 3600
#: Fewer failed requests than these do not mean a faulty server.
MANY_FAILED, FAILED_SHARE = 20, 0.05


class LogPattern(Check):
    """A line that a service has written since it started; `pattern` identifies it, `least` such lines are a problem."""

    def __init__(
        self,
        id: str,
        title: str,
        severity: Severity,
        fix: str,
        services: Sequence[str],
        pattern: str,
        *more: str,
        least: int = 1,
    ) -> None:
        self.id, self.title, self.severity, self.fix = id, title, severity, fix  # pyright: ignore[reportAttributeAccessIssue]
        self.problems = (id.partition("-")[0], *more)  # pyright: ignore[reportAttributeAccessIssue]
        self.services_read, self._pattern, self._least = tuple(services), re.compile(pattern), least

    def lines(self, seen: Evidence) -> Sequence[LogLine]:
        """Return the lines among which such ones count."""
        return [line for name in self.services_read for line in lines_of(seen, name)]

    def look(self, seen: Evidence) -> str | None:
        """Search the logs of the services that write such lines."""
        lines = [line for line in self.lines(seen) if self._pattern.search(line.text)]
        if len(lines) < self._least:
            return None
        last, found = lines[-1], self._pattern.search(lines[-1].text)
        at = f" at {last.time:%Y-%m-%d %H:%M} UTC" if last.time else ""
        matched = textwrap.shorten(found[0], SHOWN, placeholder="…") if found else ""
        return f"{last.service} logged {counted(len(lines), 'such line')}, the last one{at}: {matched}"


class NotRenamed(LogPattern):
    """I02: some releases of mid 2026 cannot rename the table of projects.

    Before the first migrations there is no table to rename: a new server has checks of its own. Nor is there one after
    the rename, when the line is an old one.
    """

    def look(self, seen: Evidence) -> str | None:
        """Look for the line, then for the table under its old name."""
        evidence = super().look(seen)
        if evidence is None or seen.ports.directory.rows_of("core_project") is None:
            return None
        return evidence


class LogsLost(LogPattern):
    """D15: a job's log was not stored with the job. The repair saves the worker's own lines before they are gone."""

    auto = Auto.SAFE

    def look(self, seen: Evidence) -> str | None:
        """Look for jobs whose logs were lost and whose remains are not saved yet."""
        evidence, left = super().look(seen), self._left(seen)
        if evidence is None or (left and not self._not_kept(seen)):
            return None
        return f"{evidence} Jobs: {named(job[:8] for job in left)}." if left else evidence

    def difference(self, seen: Evidence) -> tuple[str, ...]:
        """Return the files that would be saved. Raises RefusedError where nothing is left."""
        files = self._not_kept(seen)
        if not files:
            raise RefusedError("Nothing is left of these logs.", hint=self.fix)
        return tuple(f"save the worker's lines in {JOB_LOGS}/{name}" for name in files)

    def repair(self, seen: Evidence) -> None:
        """Save the worker's lines, without secrets."""
        for name, text in self._not_kept(seen).items():
            seen.ports.records.write_text(f"{JOB_LOGS}/{name}", text)

    def _not_kept(self, seen: Evidence) -> dict[str, str]:
        """Return the texts that are not saved yet, by file name."""
        if not seen.is_deployment:
            return {}
        kept = seen.once("kept job logs", lambda: seen.ports.records.names(JOB_LOGS))
        files = {f"{job}.log": text for job, text in self._left(seen).items()}
        return {name: text for name, text in files.items() if name not in kept}

    def _left(self, seen: Evidence) -> dict[str, str]:
        """Return the workers' lines from the time of jobs whose logs were lost, by job id."""
        lines = lines_of(seen, WORKER)
        texts = {job.id: "\n".join(_while(job, lines)) for job in seen.failed_of("D15")}
        redacted = Redactor(secrets_of(seen.settings()) if seen.is_deployment else (), {})
        return {job: redacted(text) + "\n" for job, text in texts.items() if text}


def _while(job: Job, lines: Sequence[LogLine]) -> list[str]:
    began, ended = job.started_at or job.created_at, job.finished_at or job.updated_at or job.created_at
    within = (line for line in lines if line.time and began - MARGIN <= line.time <= ended + MARGIN)
    return [f"{line.time:%Y-%m-%dT%H:%M:%SZ} {line.text}" for line in within]


class LogPatternForSetting(LogPattern, RepairsEnv):
    """A line whose cause other values in `.env` remove; older lines no longer count after the repair."""

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
        #: Recreated services start new logs, so that their old lines do not count.
        self.services = tuple(services)

    def corrected(self, seen: Evidence) -> Values:
        """Return the lines with their correct values."""
        return self._correct(seen.settings())


def larger_bodies(values: Values) -> Values:
    """Raise nginx's limit to the releases' default, where `.env` sets less; otherwise an outer proxy sets the limit."""
    return {BODY: USUAL_BODY} if 0 < _bytes(values.get(BODY, "")) < _bytes(USUAL_BODY) else {}


def longer_requests(values: Values) -> Values:
    """Double the time limits of requests, up to an hour."""
    limits = {name: values.get(name, "") for name in (GUNICORN, *NGINX_LIMITS) if name == GUNICORN or name in values}
    seconds = {name: int(value.removesuffix("s") or USUAL_S) for name, value in limits.items() if _is_seconds(value)}
    longer = {name: min(MOST_S, 2 * limit) for name, limit in seconds.items() if limit < MOST_S}
    return {name: f"{limit}{'s' if limits[name].endswith('s') else ''}" for name, limit in longer.items()}


def _is_seconds(value: str) -> bool:
    return not value or value.removesuffix("s").isdigit()


def _bytes(size: str) -> int:
    """Return a size, read as nginx does; 0 where it is not a size (to nginx, 0 means no limit)."""
    found = re.fullmatch(r"(\d+)([kmg]?)", size.strip().lower())
    return int(found[1]) * 1024 ** " kmg".index(found[2] or " ") if found else 0


class FailedRequests(Check):
    """B15: clients only see an error page of nginx; the cause is in the logs."""

    id = "B15"
    title = "Many requests fail"
    severity = Severity.WARNING
    fix = "See which ones: qfc logs --service nginx --grep ' 5[0-9][0-9] '; then find the cause: qfc logs --service app"

    def look(self, seen: Evidence) -> str | None:
        """Count nginx's answers with a status of 500 or higher."""
        requests = [found for line in lines_of(seen, NGINX) if (found := _REQUEST.match(line.text))]
        failed = [found for found in requests if found[1] >= "500"]
        if len(failed) < MANY_FAILED or len(failed) < FAILED_SHARE * len(requests):
            return None
        return f"{len(failed)} of the last {len(requests)} requests got a 5xx answer, the last one {failed[-1][0]}."


_REQUEST = re.compile(r"[A-Z]+ (\d{3}) \S+")


def lines_of(seen: Evidence, service: str) -> tuple[LogLine, ...]:
    """Return the last lines of a service since its present start; none without the service."""

    def read() -> tuple[LogLine, ...]:
        runtime = seen.ports.runtime
        return tuple(runtime.logs([service], lines=LINES, since=_since(seen, service), follow=False))

    return seen.once(f"log of {service}", read) if service in seen.services() else ()


def _since(seen: Evidence, service: str) -> datetime:
    """Return when the service's oldest instance started, or an hour ago if that is later.

    A restart repaired whatever was logged before it, or the fault was logged again since. For a service that keeps
    restarting, the whole hour is read.
    """
    now, one = seen.ports.clock.now(), seen.services()[service]
    uptimes = [each.uptime_s for each in one.instances if each.uptime_s is not None]
    if not uptimes or one.state is not ServiceState.RUNNING:
        return now - BACK
    return max(now - BACK, now - timedelta(seconds=max(uptimes) + 1))


LOGS: tuple[Check, ...] = (
    LogPattern("A06-log", "A comment became part of a value", Severity.CRITICAL,
               "Put the comment on a line of its own in .env; then: qfc services recreate",
               [APP, WORKER], r"invalid sslmode value"),
    LogPattern("A12-log", "The application lacks a variable", Severity.CRITICAL,
               "Add it to .env as in the release's .env.example; then: qfc services recreate",
               [APP, WORKER], r"KeyError: '[A-Z][A-Z_0-9]{2,}'"),
    LogPattern("A13-log", "The application lacks tables", Severity.CRITICAL, "Create them: qfc db migrate",
               [APP, WORKER], r'relation "(?!project_project)[a-z_]+" does not exist'),
    LogPattern("A15-log", "The disk was full", Severity.CRITICAL, "See what uses the space: qfc services disk",
               [DATABASE, APP, WORKER], r"No space left on device"),
    LogPattern("A11-log", "Workers could not reach the cache", Severity.CRITICAL,
               "Restart it: qfc services restart --service memcached; then the failed edits: qfc deltas reapply --all",
               [WORKER], r"MemcacheUnexpectedCloseError|pymemcache\.exceptions\.\w+"),
    LogPattern("B02", "nginx refuses its configuration", Severity.CRITICAL,
               "Remove the configuration fragment that repeats the location",
               [NGINX], r"\[emerg\] .*duplicate location|duplicate location \S+ in \S+"),
    LogPattern("B05-log", "The application refuses downloads", Severity.CRITICAL,
               "Set WEB_HTTPS_PORT to the port that clients use, and send all requests through nginx",
               [APP], r"Expected to either run behind nginx proxy, debug mode or within a test suite"),
    LogPattern("B12", "The certificate of another server is not trusted", Severity.WARNING,
               "Name its authority's certificate in QFIELDCLOUD_CUSTOM_CA_HOST_FILENAME, with "
               "docker-compose.override.ca.yml",
               [APP, WORKER], r"CERTIFICATE_VERIFY_FAILED"),
    LogPatternForSetting("B13", "A file was too large for nginx", Severity.WARNING,
               "Raise client_max_body_size of the outer proxy, and NGINX_CLIENT_MAX_BODY_SIZE in .env",
               [NGINX], r"client intended to send too large body|^(POST|PUT|PATCH) 413 \S+", larger_bodies),
    LogPatternForSetting("B14", "Requests timed out", Severity.WARNING,
               "Raise GUNICORN_TIMEOUT_S and NGINX_PROXY_READ_TIMEOUT; test the store: qfc health --verbose",
               [NGINX, APP], r"upstream timed out|WORKER TIMEOUT", longer_requests),
    LogPattern("B16", "nginx cannot resolve the store's host name", Severity.CRITICAL,
               "Use an endpoint that nginx's resolver knows, or an IP address",
               [NGINX], r"(?<!\S)(?!app )\S+ could not be resolved"),
    LogPattern("B18-log", "nginx cannot read its certificate", Severity.CRITICAL, "See which file: qfc certs status",
               [NGINX], r"cannot load certificate(?: key)? \"[^\"]*\"|BIO_new_file\([^)]*\) failed"),
    LogPattern("C07-log", "The application refuses STORAGES", Severity.CRITICAL,
               "Correct STORAGES in .env; then: qfc services recreate",
               [APP, WORKER],
               r"ConfigValidationError: (?!Expected a string|Envvar SOCIALACCOUNT)[^\n]*"),
    LogPattern("C10-log", "A file was too large for the database", Severity.WARNING,
               "Releases before May 2025 accept files below 2 GB only; upgrade: qfc deploy --tag TAG",
               [APP, WORKER], r"integer out of range"),
    LogPattern("D09", "A worker does not know a type of job", Severity.CRITICAL,
               "Bring app and workers to one release: qfc deploy --tag TAG; then: qfc jobs cleanup",
               [WORKER], r"Unknown job type"),
    LogPattern("D12-log", "Workers use a read-only database", Severity.CRITICAL,
               "Point POSTGRES_HOST to the primary server; then: qfc services recreate",
               [WORKER, APP], r"Expected `?worker_wrapper`? to be connected to the master DB node"
               r"|cannot execute \w+ in a read-only transaction"),
    LogPattern("D13-log", "Workers have no access to the Docker engine", Severity.CRITICAL,
               "Mount /var/run/docker.sock of an engine that runs as root into worker_wrapper",
               [WORKER], r"docker\.errors\.DockerException|[Pp]ermission denied.{0,60}docker\.sock"),
    LogsLost("D15-log", "The logs of jobs were lost", Severity.WARNING,
             "Check the Docker engine and its disk: qfc services disk",
               [WORKER], r"\[QFC/Worker/1001\]"),
    LogPattern("E08-log", "The application cannot decrypt stored secrets", Severity.CRITICAL,
               "Restore the previous SECRET_KEY and SALT_KEY; every deployment keeps a copy of .env",
               [APP, WORKER], r"cryptography\.fernet\.InvalidToken"),
    LogPattern("F06", "A device sent the same edits twice", Severity.INFO,
               "Releases before 2022 then block the device; upgrade these: qfc deploy --tag TAG",
               [APP], r"duplicate_deltafile"),
    LogPattern("F11", "The admin failed to apply edits again", Severity.WARNING,
               "Apply them here: qfc deltas reapply ID",
               [NGINX], r"^POST 500 /admin/core/delta\S*"),
    LogPattern("G07", "nginx refuses edits", Severity.CRITICAL,
               "Remove the location of your own in nginx that keeps devices' requests from the application",
               [NGINX], r"^(POST|PUT) 405 /api/v1/deltas/\S*"),
    LogPattern("G08", "A client requests the plan of another account", Severity.INFO,
               "Nothing to do: QFieldSync requests the plan of every owner",
               [NGINX], r"^GET 403 /api/v1/subscriptions/\S+"),
    LogPattern("H06-log", "The application could not send mail", Severity.WARNING,
               "Check EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS and the account in .env",
               [APP], r"smtplib\.SMTP\w+"),
    NotRenamed("I02", "The table of projects was not renamed", Severity.CRITICAL,
               "Apply the migrations: qfc db migrate; if that fails with the same message: qfc deploy rollback",
               [APP, WORKER], r'relation "project_project" does not exist'),
    LogPattern("I03-log", "The data belong to another PostgreSQL version", Severity.CRITICAL,
               "Use the previous image (POSTGIS_IMAGE_VERSION), then move the data by dump and restore",
               [DATABASE], r"database files are incompatible with server"),
    LogPattern("connections-log", "The database has no free connection", Severity.CRITICAL,
               "Run fewer workers of gunicorn, or raise max_connections",
               [DATABASE, APP], r"remaining connection slots are reserved|sorry, too many clients already"),
    FailedRequests(),
)  # fmt: skip
