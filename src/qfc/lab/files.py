"""Files that devices or workers cannot handle, and wrong storage counters."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Fault, RowFault, Scene

PROJECT_FILE = ("survey.qgs", 5000)


@dataclass(frozen=True)
class Files(RowFault):
    """A project with files of these names and sizes in bytes, in addition to its project file."""

    names: tuple[tuple[str, int], ...] = ()
    project_name: str = "survey"
    counted: int | None = None

    def fill(self, scene: Scene) -> None:
        """Create the project and its files."""
        files = (PROJECT_FILE, *self.names)
        counted = sum(size for _, size in files) if self.counted is None else self.counted
        project = scene.project(self.project_name, file_storage_bytes=counted)
        for name, size in files:
            scene.rows.file(project, name, size, made_at=scene.before(24 * 60))


FILES: tuple[Fault, ...] = (
    Files("file-tiny", "A file of gigabytes was stored as three bytes", ("C10",), names=(("ortho.tif", 3),)),
    Files("file-hidden", "A hidden file breaks jobs", ("E12-hidden",), names=((".trees.gpkg", 9000),)),
    Files("file-with-reserved-name", "A file has a name that some devices cannot store", ("C12",),
          names=(("notes/CON.txt", 900),)),
    Files("project-files-several", "A project has two project files", ("E11",), names=(("copy.qgz", 7000),)),
    Files("project-file-among-datasets", "The shared datasets contain a project file", ("E13",),
          project_name="shared_datasets"),
    Files("storage-miscounted", "A project's storage counter is wrong", ("C13",), counted=9_000_000),
)  # fmt: skip
