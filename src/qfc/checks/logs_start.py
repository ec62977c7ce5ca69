"""Log lines of services that do not start, or that cannot reach each other: values, names, the engine, passwords."""

from __future__ import annotations

from collections.abc import Sequence

from ..stack.model import LogLine, ServiceState
from .base import Auto, Check, Severity
from .evidence import Evidence
from .logs import APP, NGINX, WORKER, LogPattern, lines_of
from .stores import is_used

CRON, STORES = "ofelia", ("minio", "rustfs")
COLLECT_S = 600.0
#: A recycled process of the application closes a connection now and then; so many mean a fault.
MANY_CLOSED = 5


class StaticFilesOutdated(LogPattern):
    """A03: the application looks its static files up in a list that collectstatic writes."""

    auto = Auto.SAFE

    def repair(self, seen: Evidence) -> None:
        """Let the application collect its static files, then read their list again."""
        runtime = seen.ports.runtime
        runtime.execute(APP, ["collectstatic", "--noinput"], timeout_s=COLLECT_S)
        runtime.stop([APP])
        runtime.start([APP])


class EndsAtStart(LogPattern):
    """A line of a service that does not stay up: the logs of running ones are not read."""

    def lines(self, seen: Evidence) -> Sequence[LogLine]:
        """Return the lines of those services that are down or keep restarting."""
        return [line for name in self.services_read if self.is_troubled(seen, name) for line in lines_of(seen, name)]

    def is_troubled(self, seen: Evidence, name: str) -> bool:
        """Return whether a service is meant to run and does not stay up."""
        service = seen.services().get(name)
        if service is None or not service.wanted or not service.instances:
            return False
        return service.state is not ServiceState.RUNNING or any(one.restarts for one in service.instances)


class StoreEndsAtStart(EndsAtStart):
    """C02: a store that no setting names may be down."""

    def is_troubled(self, seen: Evidence, name: str) -> bool:
        """Return whether a store that keeps files does not stay up."""
        return super().is_troubled(seen, name) and is_used(seen, name)


LOGS_OF_STARTS: tuple[Check, ...] = (
    LogPattern("A12-start", "The application refuses a value of .env at its start", Severity.CRITICAL,
               "Set it as in the release's .env.example; then: qfc services recreate",
               [APP, WORKER],
               r"\A(?:ValueError: (?:invalid literal for int\(\)|could not convert string to float|Incorrect timezone)"
               r"|OSError: No translation files found).*"
               r"|Expected a string that can be parsed to boolean.*|Envvar SOCIALACCOUNT_PROVIDERS should.*"),
    StaticFilesOutdated("A03-log", "The list of static files is older than the application", Severity.WARNING,
                        "Collect the static files again: qfc deploy --collectstatic",
                        [APP], r"Missing staticfiles manifest entry for \S+"),
    EndsAtStart("A14-log", "An image is for another processor", Severity.CRITICAL,
                "Build it on the host: qfc services rebuild; or use images for the host's processor",
                [APP, WORKER, NGINX], r"exec format error"),
    LogPattern("B14-host", "nginx cannot find the application by its name", Severity.CRITICAL,
               "Start the application: qfc up; then: qfc services restart --service nginx",
               [NGINX], r"host not found in upstream \"[^\"]+\""),
    LogPattern("B14-closed", "The application closes connections before it has answered", Severity.WARNING,
               "Look for WORKER TIMEOUT and lack of memory: qfc logs --service app; raise GUNICORN_TIMEOUT_S in .env",
               [NGINX], r"upstream prematurely closed connection", least=MANY_CLOSED),
    LogPattern("C01-log", "The name host.docker.internal does not exist on Linux", Severity.CRITICAL,
               "Use the address of Docker's bridge (172.17.0.1) in STORAGES; then: qfc services recreate",
               [APP, WORKER],
               r"Could not connect to the endpoint URL: "
               r"\"http[^\"]*host\.docker\.internal[^\"]*\"|Failed to resolve 'host\.docker\.internal'"),
    StoreEndsAtStart("C02-log", "The file store ends at its start", Severity.CRITICAL,
                "Correct name and secret of the store (a secret has 8 to 40 characters), or the owner of its volume",
                STORES, r"(?i)(?:access|secret) key length|unable to (?:validate credentials|initialize)[^\n]*"
                        r"|permission denied|file access denied"),
    LogPattern("D12-password", "The database refuses the application's password", Severity.CRITICAL,
               "Set POSTGRES_PASSWORD to the database's own password (earlier ones: .env.before.*), then:"
               " qfc services recreate",
               [APP, WORKER], r"password authentication failed for user \"[^\"]*\""),
    LogPattern("D13-client", "The Docker engine refuses the workers, which are too old for it", Severity.CRITICAL,
               "Upgrade worker_wrapper, or set DOCKER_MIN_API_VERSION in the environment of the host's dockerd",
               [WORKER], r"client version \S+ is too old[^\n]*"),
    EndsAtStart("D08-client", "The Docker engine refuses ofelia, which is too old for it", Severity.CRITICAL,
                "Upgrade ofelia's image, or set DOCKER_MIN_API_VERSION in the environment of the host's dockerd",
                [CRON], r"client version \S+ is too old[^\n]*"),
)  # fmt: skip
