"""Edits that devices have sent, but that are not in the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import Fault, RowFault, Scene

#: More edits than one job applies.
BACKLOG = 1100


@dataclass(frozen=True)
class Edits(RowFault):
    """`count` edits of a status, with the server's `message` about them. `locked` keeps workers from the project."""

    status: str = "not_applied"
    message: str = ""
    count: int = 3
    locked: bool = False
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def fill(self, scene: Scene) -> None:
        """Create the edits."""
        project = scene.project(locked_at=scene.now if self.locked else None)
        feedback = {"msg": self.message} if self.message else None
        for _ in range(self.count):
            scene.rows.delta(project, self.status, made_at=scene.before(60), feedback=feedback, content=self.content)


@dataclass(frozen=True)
class EditsOverQuota(RowFault):
    """An apply job failed because the quota was used up, and its edit is not in the data."""

    def fill(self, scene: Scene) -> None:
        """Create the job and its edit."""
        job, project = _failed_job(scene, {"error": "over_quota", "error_type": "API_PAYMENT_REQUIRED"})
        said = {"msg": "over_quota"}
        scene.rows.delta(project, "error", job=job, made_at=scene.before(60), feedback=said)


@dataclass(frozen=True)
class EditsOvertaken(RowFault):
    """An apply job failed, and the project was packaged afterwards: devices no longer show the edit."""

    def fill(self, scene: Scene) -> None:
        """Create both jobs and the edit."""
        job, project = _failed_job(scene, {"error": "Job unexpectedly terminated.", "error_type": "WORKER_DIED"})
        scene.rows.delta(project, "error", job=job, made_at=scene.before(60), feedback={"msg": "The job failed."})
        scene.rows.job(project, "finished", made_at=scene.before(20), started_at=scene.before(19),
                       ended_at=scene.before(18))  # fmt: skip


@dataclass(frozen=True)
class MissingAttachment(RowFault):
    """An edit announced a photo that never arrived."""

    def fill(self, scene: Scene) -> None:
        """Create a project with one file, and the edit."""
        project = scene.project(file_storage_bytes=5000)
        scene.rows.file(project, "survey.qgs", 5000, made_at=scene.before(24 * 60))
        new = {"attributes": {"photo": "DCIM/tree.jpg"}, "files_sha256": {"DCIM/tree.jpg": "00" * 32}}
        scene.rows.delta(project, "applied", made_at=scene.before(36 * 60), content={"new": new})


def _failed_job(scene: Scene, feedback: Mapping[str, Any]) -> tuple[str, str]:
    project = scene.project()
    job = scene.rows.job(project, "failed", type="delta_apply", made_at=scene.before(60),
                         started_at=scene.before(59), ended_at=scene.before(58), feedback=feedback)  # fmt: skip
    return job, project


EDITS: tuple[Fault, ...] = (
    Edits("edits-lost", "Edits were pushed, but no job will apply them", ("F09",)),
    Edits("edits-without-feature", "Edits change features that do not exist", ("F01-edits", "F09"),
          message="Unable to find feature"),
    Edits("edits-of-missing-layer", "Edits change a layer that is not in the project", ("F02-edits", "F09"),
          status="error", message='No layer with id "trees_1"'),
    Edits("edits-in-conflict", "Edits contradict each other", ("F03-edits",), status="conflict",
          message="There are conflicts with the already existing feature!"),
    Edits("edits-refused-by-the-layer", "A layer's data source refuses edits", ("F05-commit-edits", "F09"),
          status="error", message="Failed to commit changes"),
    Edits("edits-of-composite-keys", "Edits change a layer with a composite primary key", ("F05-key-edits", "F09"),
          status="error", message="Composite (multi-column) primary keys are not supported!"),
    Edits("edits-of-a-read-only-layer", "Edits change a layer that cannot be edited", ("F05-edit-edits", "F09"),
          status="error", message="Cannot start editing layer"),
    Edits("edits-of-a-damaged-file", "Edits change a layer whose file is damaged", ("F05-damaged-edits", "F09"),
          status="error", message="the file is damaged"),
    Edits("edits-without-their-database", "Edits need a database that cannot be reached", ("E03-edits", "F09"),
          status="error", message="Connection to database failed"),
    Edits("edits-of-a-dead-worker", "A worker died while it applied edits", ("D08-edits", "F09"), status="error",
          message="Job unexpectedly terminated"),
    Edits("edits-malformed", "Edits cannot be parsed", ("malformed-edits", "F09"), status="error",
          message="This delta cannot be read"),
    Edits("edits-unpermitted", "Edits come from a user without permission", ("F10",), status="unpermitted"),
    Edits("edits-backlog", "More edits wait than one job applies", ("F12",), status="pending", count=BACKLOG),
    EditsOverQuota("edits-over-quota", "Edits failed while the quota was used up", ("F08", "F09")),
    EditsOvertaken("edits-overtaken", "Edits failed, and a package without them was built", ("F09-overtaken", "F09")),
    MissingAttachment("attachment-missing", "A photo that an edit announced never arrived", ("G06",)),
)  # fmt: skip
