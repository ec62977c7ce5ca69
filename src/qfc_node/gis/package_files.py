"""Find the files of a project that a package contains unchanged."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import unescape  # nosec B406 -- replaces entities in a text, parses nothing

from . import qgs_xml
from .datasource import FileSource, OtherSource, TextSource
from .port import GisError
from .project import Layer, Project
from .sync_settings import attachment_directories, data_directories
from .virtual_layers import embedded_files

#: Sidecar files of a data file `name.ext`: `name` + one of these.
_SIDECARS = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".qix", ".idm", ".ind", ".fix", ".qmd"),
    ".dbf": (".cpg", ".idm", ".ind"),
    ".tab": (".dat", ".map", ".id", ".ind"),
    ".mif": (".mid",),
    ".csv": (".csvt", ".prj"),
    ".adf": (".hdr", ".prj"),
}
#: The same for a raster file.
_RASTER_SIDECARS = (
    *(".tfw", ".tifw", ".jgw", ".jpgw", ".pgw", ".pngw", ".bpw", ".gfw", ".j2w", ".eww", ".sdw", ".wld"),
    *(".prj", ".qpj", ".aux", ".rrd", ".ovr", ".hdr", ".rpb", ".clr", ".stx", ".msk", ".tab", ".points"),
)
#: Sidecar files of any data file: its whole name + one of these.
_APPENDED = (".aux.xml", ".ovr", ".msk", ".xml", ".cpg", ".qmd", "-wal", ".prj", ".csvt")
_PICTURE_END = re.compile(r"""\.(?:svgz?|png|jpe?g|gif|bmp|webp|ttf|otf|pdf|html?)(?=["'<>|\n])""", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"""["'<>|\n]""")
_LONGEST_NAME = 1024
_LINKED_RASTER = re.compile(r"<SourceFilename[^>]*>([^<]+)</SourceFilename>")
#: Most characters that are read of a virtual raster; one names a few hundred files.
_LARGEST_VRT = 16 * 1024 * 1024
_ADDRESS = re.compile(r"(?:^|&)(?:url|source)=(?:file:(?://)?)?([^&]+)")


def data_files(project: Project, layer: Layer) -> list[Path]:
    """Return the files that a layer needs if it keeps its source: its data with all sidecars."""
    path = _data_path(project, layer)
    if path is None:
        return [file for main in embedded_files(project, layer) for file in _with_sidecars(main)]
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    linked = _linked_files(project, path) if path.suffix.lower() == ".vrt" else []
    return [file for main in [path, *linked] for file in _with_sidecars(main)]


def pictures(project: Project) -> list[Path]:
    """Return the pictures of symbols, decorations and layouts that are files of the project, without attachments."""
    text = qgs_xml.serialize(project.root).decode()
    found = (_existing(project, name) for name in set(_picture_names(text)))
    attachments = [project.files_root / directory for directory in attachment_directories(project)]
    return sorted(path for path in found if path and not any(path.is_relative_to(folder) for folder in attachments))


def directory_files(project: Project) -> list[Path]:
    """Return the files in the folders that travel as a whole, of those that are folders of the project."""
    folders = (_folder(project, name) for name in data_directories(project))
    return [file for folder in folders if folder for file in sorted(folder.rglob("*")) if file.is_file()]


def companions(project: Project) -> list[Path]:
    """Return the translations (`survey_de.qm`) and the plugin (`survey.qml`) of the project."""
    stem = re.sub(r"([*?\[])", r"[\1]", project.file.stem)
    plugin = project.file.with_suffix(".qml")
    return [*sorted(project.folder.glob(f"{stem}_*.qm")), *([plugin] if plugin.is_file() else [])]


def _folder(project: Project, name: str) -> Path | None:
    candidates = (Path(os.path.normpath(base / name)) for base in (project.folder, project.files_root))
    inside = (path for path in candidates if path != project.files_root and path.is_relative_to(project.files_root))
    return next((path for path in inside if path.is_dir()), None)


def _picture_names(text: str) -> Iterator[str]:
    """Yield every text in the XML that ends like the name of a picture, from its beginning."""
    for end in _PICTURE_END.finditer(text):
        before = text[max(0, end.start() - _LONGEST_NAME) : end.end()]
        name = _BEFORE_NAME.split(before)[-1]
        yield unescape(name, {"&quot;": '"', "&apos;": "'"}).strip()


def _data_path(project: Project, layer: Layer) -> Path | None:
    source = layer.source
    try:
        if isinstance(source, FileSource | TextSource):
            return project.locate(source)
    except GisError:
        return None
    found = _ADDRESS.search(source.text) if isinstance(source, OtherSource) else None
    return _existing(project, unquote(found[1])) if found else None


def _with_sidecars(path: Path) -> Iterator[Path]:
    suffixes = _SIDECARS.get(path.suffix.lower(), _RASTER_SIDECARS)
    wanted = {f"{path.stem}{suffix}".lower() for suffix in suffixes}
    wanted |= {f"{path.name}{suffix}".lower() for suffix in _APPENDED}
    yield path
    for sibling in sorted(path.parent.iterdir()):
        if sibling.name.lower() in wanted and sibling != path and sibling.is_file():
            yield sibling


def _linked_files(project: Project, path: Path) -> list[Path]:
    """Return the rasters that a virtual raster combines, as far as they are files of the project."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        names = _LINKED_RASTER.findall(stream.read(_LARGEST_VRT))
    sources = (FileSource(path.parent / unescape(name)) for name in dict.fromkeys(names))
    return [found for source in sources if (found := _located(project, source))]


def _existing(project: Project, name: str) -> Path | None:
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        return None
    if not os.path.lexists(os.path.normpath(os.path.join(project.folder, name))):  # noqa: PTH118  (projects have many)
        return None
    return _located(project, FileSource(project.folder / name))


def _located(project: Project, source: FileSource) -> Path | None:
    try:
        path = project.locate(source)
    except (GisError, OSError, ValueError):
        return None
    return path if path.is_file() else None


def unique(paths: Iterable[Path]) -> list[Path]:
    """Return the paths in order, without repetitions."""
    return list(dict.fromkeys(paths))
