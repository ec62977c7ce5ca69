"""The jobs of maintenance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MaintenanceJob:
    """A job: what it does in one sentence, and whether it changes anything. Such a one needs the stack's lock."""

    name: str
    meaning: str
    changes: bool = True

    @property
    def setting(self) -> str:
        """The name of the setting that says when it runs."""
        return self.name.replace("-", "_")


JOBS = (
    MaintenanceJob("quick-check", "Look at services, queue and disk, and record a measurement.", changes=False),
    MaintenanceJob("cleanup", "Remove what nothing needs: images and containers of a deployment, expired sessions."),
    MaintenanceJob("restart-workers", "Restart the workers, if no job waits or runs."),
    MaintenanceJob("daily", "Back up, verify, prune; free stuck jobs; renew the certificate; look for known problems."),
    MaintenanceJob("stats", "Write a report of the day and the week as Markdown, HTML and JSON.", changes=False),
)
