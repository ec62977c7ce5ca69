"""Write the files of a package, and list the files that it contains unchanged."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from . import package_files, stored_projects
from .geopackage_copy import free_name
from .port import GisError, PackagedFile
from .project import Layer, Project
from .project_archive import embedded_files

_DATA = "data.gpkg"
#: The auxiliary database (label positions and similar data) is beside a .qgs, under the project's name.
_AUXILIARY = ".qgd"


class PackageWriter:
    """Writes the package of one project. Names in the package are relative to the top of the project's files."""

    def __init__(self, project: Project, export_dir: Path, kept: Iterable[Layer]) -> None:
        self._project = project
        #: What users should know about the files.
        self.notes: list[str] = []
        self._export_dir = export_dir
        self._folder = export_dir / project.folder.relative_to(project.files_root)
        self._folder.mkdir(parents=True, exist_ok=True)
        taken = [path.stem for path in self._data_files(kept) if path.parent == project.folder]
        self.data_name = f"{free_name(Path(_DATA).stem, taken)}.gpkg"

    @property
    def data_file(self) -> Path:
        """The path to which the offline data are written."""
        return self._folder / self.data_name

    @property
    def data_file_in_project(self) -> Path:
        """The path at which the packaged project expects the offline data."""
        return self._project.folder / self.data_name

    def write(self, kept: Iterable[Layer]) -> tuple[PackagedFile, ...]:
        """Write the remaining files; return all files of the package by name. Layers in `kept` keep their sources."""
        written = [self._write_project(), self._write_attachments(), *self._write_auxiliary()]
        if self.data_file.exists():
            written.append(self.data_file)
        files = {path.relative_to(self._export_dir).as_posix(): path for path in written}
        for path in self._travelling(kept):
            files.setdefault(path.relative_to(self._project.files_root).as_posix(), path)
        self._drop_stored_projects(files)
        return tuple(PackagedFile(name, files[name]) for name in sorted(files))

    def _drop_stored_projects(self, files: dict[str, Path]) -> None:
        """Replace GeoPackages that contain projects with passwords by copies without projects."""
        for name in [name for name in files if name.lower().endswith(".gpkg") and files[name] != self.data_file]:
            if stored_projects.has_password(files[name]):
                self._replace(files, name)

    def _replace(self, files: dict[str, Path], name: str) -> None:
        original = files.pop(name)
        files.pop(f"{name}-wal", None)
        try:
            stored_projects.write_without(original, self._export_dir / name)
        except GisError as error:
            self.notes.append(f"File '{name}' does not travel: {error}")
        else:
            files[name] = self._export_dir / name
            self.notes.append(f"File '{name}': the projects stored in it do not travel: one has a password.")

    def _travelling(self, kept: Iterable[Layer]) -> list[Path]:
        project = self._project
        paths = [
            *self._data_files(kept),
            *package_files.pictures(project),
            *package_files.companions(project),
            *package_files.directory_files(project),
        ]
        return [path for path in package_files.unique(paths) if path != project.file and project.owns(path)]

    def _data_files(self, kept: Iterable[Layer]) -> list[Path]:
        return [path for layer in kept for path in package_files.data_files(self._project, layer)]

    def _packaged(self, ending: str) -> Path:
        return self._folder / f"{self._project.file.stem}_qfield{ending}"

    def _write_project(self) -> Path:
        path = self._packaged(".qgs")
        self._project.save(path)
        return path

    def _write_attachments(self) -> Path:
        path = self._packaged("_attachments.zip")
        beside = self._project.file.with_name(f"{self._project.file.stem}_attachments.zip")
        if self._project.file.suffix.lower() == ".qgs" and self._project.owns(beside):
            shutil.copyfile(beside, path)
            return path
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in embedded_files(self._project.file).items():
                if not name.lower().endswith(_AUXILIARY):
                    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        return path

    def _write_auxiliary(self) -> list[Path]:
        path = self._packaged(_AUXILIARY)
        beside = self._project.file.with_suffix(_AUXILIARY)
        embedded = embedded_files(self._project.file)
        content = next((content for name, content in embedded.items() if name.lower().endswith(_AUXILIARY)), None)
        if content is not None:
            path.write_bytes(content)
        elif self._project.file.suffix.lower() == ".qgs" and self._project.owns(beside):
            shutil.copyfile(beside, path)
        return [path] if path.exists() else []
