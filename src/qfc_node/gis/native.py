"""The engine that works without QGIS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .database_rules import RULES_VARIABLE, DatabaseRules
from .layers import inspect_all
from .package import build_package
from .port import ApplyReport, Delta, Log, PackageReport, PkMap, ProjectReport
from .project import Project
from .report import project_details


class NativeEngine:
    """Implements `port.Engine` with lxml, SQLite and GDAL.

    `files_root`: the folder of all of the project's files, if the project file is in a folder below it. `databases`:
    the rules for layers that are in databases, else those in the process's environment, where the worker puts them;
    without any, those are only allowed on public addresses.
    """

    def __init__(self, files_root: Path | None = None, databases: DatabaseRules | None = None) -> None:
        self._files_root = files_root
        self._databases = databases or DatabaseRules.from_text(os.environ.get(RULES_VARIABLE, ""))

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Describe the project and draw its thumbnail. Raises GisError."""
        from .thumbnail import draw_thumbnail

        project = self._read(project_file)
        states = inspect_all(project)
        for state in states.values():
            if not state.is_valid:
                log(f"Layer '{state.layer.name}': {state.error_code}, {state.message}")
        return ProjectReport(project_details(project, states.values()), draw_thumbnail(project, states))

    def package(self, project_file: Path, export_dir: Path, log: Log) -> PackageReport:
        """Write the package into `export_dir` (empty, exists). Raises GisError."""
        return build_package(self._read(project_file), export_dir, log)

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

        project = self._read(project_file)
        return apply_deltas(project, deltas, overwrite_conflicts=overwrite_conflicts, known_pks=known_pks, log=log)

    def _read(self, project_file: Path) -> Project:
        return Project.read(project_file, self._files_root, self._databases)
