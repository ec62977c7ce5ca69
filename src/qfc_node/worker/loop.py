"""The worker: one job at a time, from the claim to the commit."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import InterfaceError, OperationalError, connection

from ..box.messages import Ready
from ..storage.errors import StorageError
from . import leases, results
from .folder import JobFolder
from .fork_server import ForkServers, ServerSettings
from .job_run import Done, JobRun, NetworkMissingError, Waitable
from .leases import Lease, LeaseLostError
from .preparation import NothingToDoError, Prepared, prepare
from .process import JobProcess
from .registry import Registration
from .sweep import Sweeper
from .wakeup import Notifications, Signals
from .work import Result

logger = logging.getLogger(__name__)

#: Seconds between two heartbeats while idle.
SIGN_S = 5.0
#: Seconds between two renewals of the lease; also the longest time until a stopped job is noticed.
HEARTBEAT_S = 1.0
#: Seconds between two checks for dead workers, and between two checks of the queue without a notification.
CARE_S = 1.0
#: The longest pause while the database is unreachable, in seconds: well below the time that workers have to reconnect.
MAX_PAUSE_S = 2.0


class AbortedError(Exception):
    """The worker was asked to stop at once."""


class Worker:
    """Runs jobs until it is asked to stop."""

    def __init__(self, *, single_shot: bool = False) -> None:
        self.signals = Signals()
        self._single_shot = single_shot
        self._registration = Registration()
        self._notifications = Notifications()
        self._sweeper = Sweeper(settings.DATA_DIR, self._registration.id)
        self._servers = ForkServers(ServerSettings(self._sweeper.home, settings.GIS_ENGINE, settings.BOX_WITHOUT))
        self._cared_at = 0.0
        self._signed_at = 0.0
        self._pause_s = 0.25
        self._noted: Ready | None = None

    def run(self) -> None:
        """Work until asked to stop; survive outages of the database."""
        with self._sweeper, self._servers:
            while not self.signals.stopping:
                self._survive_database_faults()
            self._leave()

    def _survive_database_faults(self) -> None:
        try:
            self._cycle()
            self._pause_s = 0.25
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database cannot be reached: %s", _first_line(error))
            self._pause()
        except StorageError as error:
            logger.error("%s", error)  # noqa: TRY400  (the message says it all)
            self._pause()

    def _pause(self) -> None:
        connection.close()
        self.signals.wait([], self._pause_s)
        self._pause_s = min(MAX_PAUSE_S, self._pause_s * 2)

    def _cycle(self) -> None:
        self._registration.ensure()
        self._care()
        self._note_layers()
        lease = leases.claim(self._registration)
        if lease is not None:
            self._do(lease)
        elif self._single_shot:
            self.signals.stopping = True
        else:
            self._idle()

    def _care(self) -> None:
        if time.monotonic() - self._cared_at < CARE_S or not self._registration.is_settled:
            return
        for job_id in leases.requeue_jobs_of_dead_workers(self._registration):
            logger.warning("requeued the job of a dead worker", extra={"job_id": job_id})
        self._cared_at = time.monotonic()

    def _note_layers(self) -> None:
        """Wait until jobs can be started, and record what holds them. Raises StorageError."""
        ready = self._servers.get(network=False).ready
        if ready is not self._noted:
            self._noted = ready
            self._registration.note_layers(ready.layers)
            logger.info("jobs run in a box: %s", ", ".join(describe(layer) for layer in ready.layers))

    def _idle(self) -> None:
        if time.monotonic() - self._signed_at > SIGN_S:
            self._sign("idle")
        self._sweeper.sweep_when_due()
        self._notifications.wait(self.signals, CARE_S)

    def _sign(self, state: str) -> None:
        self._registration.beat(state)
        self._signed_at = 0.0 if state == "busy" else time.monotonic()

    def _leave(self) -> None:
        try:
            self._registration.leave()
        except DatabaseFault:
            logger.warning("the database cannot be reached; other workers will notice that this one has ended")

    def _do(self, lease: Lease) -> None:
        logger.info("started a job", extra={"job_id": lease.job_id})
        try:
            self._work_on(lease)
        except LeaseLostError:
            logger.warning("this worker no longer holds the job", extra={"job_id": lease.job_id})
        except Exception as error:  # noqa: BLE001  (no error may keep the job claimed, or end the worker)
            with suppress(LeaseLostError):
                self._insist(lease, _consequence(lease, error))

    def _work_on(self, lease: Lease) -> None:
        prepared = prepare(lease)
        self._sign("busy")
        done = self._run(prepared, lease)
        self._insist(lease, lambda: _write(lease, prepared, done))

    def _run(self, prepared: Prepared, lease: Lease) -> Done:
        """Run the job without a network; if its layers are in databases elsewhere, again with one."""
        try:
            return self._attempt(prepared, lease, network=False)
        except NetworkMissingError:
            return self._attempt(prepared, lease, network=True)

    def _attempt(self, prepared: Prepared, lease: Lease, *, network: bool) -> Done:
        folder = JobFolder(self._sweeper.home / str(lease.job_id))
        try:
            return JobRun(prepared, folder, self._servers, lambda one: self._keep(one, lease)).do(network=network)
        finally:
            folder.remove()

    def _keep(self, running: Waitable, lease: Lease) -> None:
        """Keep the lease until something has ended, or a job's time is over. Raises LeaseLostError, AbortedError."""
        renewed_at = time.monotonic()
        while not running.ended():
            self.signals.wait([running.descriptor], HEARTBEAT_S)
            if self.signals.abort:
                raise AbortedError
            if isinstance(running, JobProcess) and running.seconds > settings.WORKER_TIMEOUT_S:
                return
            if time.monotonic() - renewed_at >= HEARTBEAT_S:
                self._renew(lease)
                renewed_at = time.monotonic()

    def _renew(self, lease: Lease) -> None:
        # Without a database nobody can take the job away either: the child continues, and its token decides at the end.
        try:
            self._registration.ensure()
            lease.renew()
            self._registration.beat("draining" if self.signals.stopping else "busy")
        except (OperationalError, InterfaceError):
            connection.close()

    def _insist(self, lease: Lease, write: Callable[[], None]) -> None:
        """Call `write` until the database accepts it. Raises LeaseLostError and the other errors of `write`."""
        while True:
            self._renew(lease)
            try:
                return write()
            except (OperationalError, InterfaceError) as error:
                if self.signals.stopping or not _may_pass(error):
                    raise
                logger.warning("the result waits for the database: %s", _first_line(error))
                self._pause()


def _write(lease: Lease, prepared: Prepared, done: Done) -> None:
    result = done.result
    if result.kind == "done":
        results.finish(lease, prepared, result, done.output)
    elif result.kind == "storage_fault":
        raise StorageError(result.error)
    elif done.exit_code == -signal.SIGKILL and result.error_type == "KILLED":
        leases.retry_or_give_up(lease, result.error)
    else:
        results.fail(lease, result, done.output, done.exit_code)


def _consequence(lease: Lease, error: Exception) -> Callable[[], None]:
    """Return the function that records the error of a job without a result."""
    about = {"job_id": lease.job_id}
    match error:
        case AbortedError():
            return lambda: leases.give_back(lease)
        case results.StaleFilesError():
            logger.info("a file changed meanwhile; the job starts again", extra=about)
            return lambda: leases.give_back(lease)
        case NothingToDoError():
            return lambda: results.fail(lease, Result("project_error", str(error), "FILE_NOT_FOUND"), "", None)
        case StorageError() | OSError() | OperationalError() | InterfaceError() if _may_pass(error):
            logger.warning("the job is postponed: %s", error, extra=about)
            return lambda: leases.postpone(lease, f"Postponed after a fault of the server: {error}")
        case _:
            logger.error("the job has no result", extra=about, exc_info=error)
            return lambda: leases.retry_or_give_up(lease, f"{type(error).__name__}: {error}")


def _may_pass(error: Exception) -> bool:
    """Whether another attempt may succeed. PostgreSQL's errors of class 54 are permanent: a value is too large."""
    return not str(getattr(error.__cause__, "sqlstate", None)).startswith("54")


def describe(layer: Mapping[str, str]) -> str:
    """Return a layer in words."""
    detail = f" ({layer['detail']})" if layer["detail"] else ""
    return f"{layer['name']} {layer['state']}{detail}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
