"""Edits that devices have sent and that are not in the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import Fault, RowFault, Scene

#: More edits than one job takes.
BACKLOG = 1100


@dataclass(frozen=True)
class Edits(RowFault):
    """Three edits of a status, with what the server said of them. `locked` keeps workers from a project."""

    status: str = "not_applied"
    message: str = ""
    count: int = 3
    locked: bool = False
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def fill(self, scene: Scene) -> None:
        """Make the edits."""
        project = scene.project(locked_at=scene.now if self.locked else None)
        feedback = {"msg": self.message} if self.message else None
        for _ in range(self.count):
            scene.rows.delta(project, self.status, made_at=scene.before(60), feedback=feedback, content=self.content)


@dataclass(frozen=True)
class EditsOverQuota(RowFault):
    """An apply job failed because the quota was used up, and its edits stayed behind."""

    def fill(self, scene: Scene) -> None:
        """Make job and edits."""
        job, project = _failed_job(scene, {"error": "over_quota", "error_type": "API_PAYMENT_REQUIRED"})
        said = {"msg": "over_quota"}
        scene.rows.delta(project, "error", job=job, made_at=scene.before(60), feedback=said)


@dataclass(frozen=True)
class EditsOvertaken(RowFault):
    """An apply job failed, and the project was packaged afterwards: devices lose sight of the edits."""

    def fill(self, scene: Scene) -> None:
        """Make jobs and edits."""
        job, project = _failed_job(scene, {"error": "Job unexpectedly terminated.", "error_type": "WORKER_DIED"})
        scene.rows.delta(project, "error", job=job, made_at=scene.before(60), feedback={"msg": "The job failed."})
        scene.rows.job(project, "finished", made_at=scene.before(20), started_at=scene.before(19),
                       ended_at=scene.before(18))  # fmt: skip


@dataclass(frozen=True)
class MissingAttachment(RowFault):
    """An edit announced a photo that never came."""

    def fill(self, scene: Scene) -> None:
        """Make a project with one file, and the edit."""
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
    Edits("edits-lost", "Edits were pushed, and no job will apply them", ("F09",)),
    Edits("edits-without-feature", "Edits of features that are not there", ("F01-edits", "F09"),
          message="Unable to find feature"),
    Edits("edits-of-missing-layer", "Edits of a layer that is not in the project", ("F02-edits", "F09"), status="error",
          message='No layer with id "trees_1"'),
    Edits("edits-in-conflict", "Edits that contradict each other", ("F03-edits",), status="conflict",
          message="There are conflicts with the already existing feature!"),
    Edits("edits-refused-by-the-layer", "Edits that the layer's data source refuses", ("F05-commit-edits", "F09"),
          status="error", message="Failed to commit changes"),
    Edits("edits-of-composite-keys", "Edits of a layer whose primary key has several columns", ("F05-key-edits", "F09"),
          status="error", message="Composite (multi-column) primary keys are not supported!"),
    Edits("edits-of-a-read-only-layer", "Edits of a layer that cannot be edited", ("F05-edit-edits", "F09"),
          status="error", message="Cannot start editing layer"),
    Edits("edits-of-a-damaged-file", "Edits of a file that is damaged", ("F05-damaged-edits", "F09"), status="error",
          message="the file is damaged"),
    Edits("edits-without-their-database", "Edits of a database that is not reached", ("E03-edits", "F09"),
          status="error", message="Connection to database failed"),
    Edits("edits-of-a-dead-worker", "Edits whose worker died", ("D08-edits", "F09"), status="error",
          message="Job unexpectedly terminated"),
    Edits("edits-malformed", "Edits that cannot be read", ("malformed-edits", "F09"), status="error",
          message="This delta cannot be read"),
    Edits("edits-unpermitted", "Edits of a person who may not edit any more", ("F10",), status="unpermitted"),
    Edits("edits-backlog", "More edits wait than one job takes", ("F12",), status="pending", count=BACKLOG),
    EditsOverQuota("edits-over-quota", "Edits failed while the quota was used up", ("F08", "F09")),
    EditsOvertaken("edits-overtaken", "Edits failed, and a package without them was made", ("F09-overtaken", "F09")),
    MissingAttachment("attachment-missing", "A photo that an edit speaks of never came", ("G06",)),
)  # fmt: skip
