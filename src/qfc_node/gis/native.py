"""The engine that works without QGIS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .layers import inspect_all
from .package import build_package
from .port import ApplyReport, Delta, Log, PackageReport, PkMap, ProjectReport
from .project import Project
from .report import project_details


class NativeEngine:
    """Implements `port.Engine` with lxml, SQLite and GDAL.

    `files_root`: the folder of all of the project's files, if the project file is in a folder below it.
    """

    def __init__(self, files_root: Path | None = None) -> None:
        self._files_root = files_root

    @staticmethod
    def warm_up() -> None:
        """Load what jobs use: the process that starts jobs does so once for all of them. Raises GisError, OSError."""
        from .rehearsal import rehearse

        rehearse()

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Describe the project and draw its thumbnail. Raises GisError."""
        from .thumbnail import draw_thumbnail

        project = Project.read(project_file, self._files_root)
        states = inspect_all(project)
        for state in states.values():
            if not state.is_valid:
                log(f"Layer '{state.layer.name}': {state.error_code}, {state.message}")
        return ProjectReport(project_details(project, states.values()), draw_thumbnail(project, states))

    def package(self, project_file: Path, export_dir: Path, log: Log) -> PackageReport:
        """Write the package into `export_dir` (empty, exists). Raises GisError."""
        return build_package(Project.read(project_file, self._files_root), export_dir, log)

    def apply(
        self,
        project_file: Path,
        deltas: Sequence[Delta],
        *,
        overwrite_conflicts: bool,
        known_pks: PkMap,
        log: Log,
    ) -> ApplyReport:
        """Apply the deltas in order; a bad delta is reported and never stops the others. Raises GisError."""
        from .deltas import apply_deltas

        project = Project.read(project_file, self._files_root)
        return apply_deltas(project, deltas, overwrite_conflicts=overwrite_conflicts, known_pks=known_pks, log=log)
