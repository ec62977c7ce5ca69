"""The engine that works without QGIS."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import defence
from .database_layers import DatabaseLayers
from .database_rules import RULES_VARIABLE, DatabaseRules
from .layers import inspect_all, repeated
from .own_words import OwnWords
from .package import build_package
from .port import ApplyReport, Delta, GisError, InvalidProjectFileError, Log, PackageReport, PkMap, ProjectReport
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

    @staticmethod
    def warm_up() -> None:
        """Load what jobs use: the process that starts jobs does so once for all of them. Raises GisError, OSError."""
        from .rehearsal import rehearse

        rehearse()

    def report(self, project_file: Path, log: Log) -> ProjectReport:
        """Describe the project and draw its thumbnail. Raises GisError."""
        from .thumbnail import draw_thumbnail

        with self._own_words(project_file, None, log) as (words, log):
            project = self._read(project_file)
            with DatabaseLayers(project) as databases:
                states = databases.reached(inspect_all(project))
            for layer in project.repeated_layers():
                log(repeated(project, layer))
            for state in states.values():
                if not state.is_valid:
                    log(f"Layer '{state.layer.name}': {state.error_code}, {state.message}")
            details = words.value(project_details(project, states.values()))
            return ProjectReport(details, draw_thumbnail(project, states, log=log))

    def package(self, project_file: Path, export_dir: Path, log: Log) -> PackageReport:
        """Write the package into `export_dir` (empty, exists). Raises GisError."""
        with self._own_words(project_file, export_dir, log) as (words, log):
            made = build_package(self._read(project_file), export_dir, log)
            before, after, notes = words.value((made.layers_before, made.layers_after, made.notes))
            return replace(made, layers_before=before, layers_after=after, notes=notes)

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

        with self._own_words(project_file, None, log) as (words, log):
            project = self._read(project_file)
            applied = apply_deltas(
                project, deltas, overwrite_conflicts=overwrite_conflicts, known_pks=known_pks, log=log
            )
            outcomes = (replace(outcome, feedback=words.value(outcome.feedback)) for outcome in applied.outcomes)
            return replace(applied, outcomes=tuple(outcomes))

    def _read(self, project_file: Path) -> Project:
        return Project.read(project_file, self._files_root, self._databases)

    @contextmanager
    def _own_words(self, project_file: Path, export_dir: Path | None, log: Log) -> Generator[tuple[OwnWords, Log]]:
        """Clean what the block logs, and the error that ends it."""
        words = OwnWords(self._files_root or project_file.parent, export_dir)

        def clean_log(line: str) -> None:
            log(words.text(line))

        if off := defence.switched_off():
            clean_log(f"Warning: layers of defence are off: {', '.join(sorted(layer.value for layer in off))}.")
        try:
            yield words, clean_log
        except RecursionError as error:
            raise InvalidProjectFileError("The project is nested too deeply to be read.") from error
        except GisError as error:
            if words.text(str(error)) == str(error):
                raise
            raise type(error)(words.text(str(error))) from error
