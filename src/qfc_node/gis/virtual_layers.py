"""Virtual layers: queries over layers of the project, or over sources that the query itself names (embeds)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from . import datasource
from .datasource import FileSource, OtherSource, TextSource
from .port import GisError
from .project import Layer, Project


def embedded_sources(layer: Layer) -> list[FileSource | TextSource]:
    """Return the files that a virtual layer names itself: `layer=provider:source:name:encoding` in its address."""
    source = layer.source
    if layer.provider != "virtual" or not isinstance(source, OtherSource):
        return []
    pairs = (pair.partition("=") for pair in source.text.partition("?")[2].split("&"))
    named = (unquote(value).split(":") for key, _, value in pairs if key == "layer")
    decoded = (
        datasource.decode(provider, unquote(":".join(parts[:-2])), layer.folder)
        for provider, *parts in named
        if len(parts) > 2
    )
    return [found for found in decoded if isinstance(found, FileSource | TextSource)]


def embedded_files(project: Project, layer: Layer) -> list[Path]:
    """Return those of the files that exist."""
    return [path for source in embedded_sources(layer) if (path := _located(project, source))]


def note_about(project: Project, layer: Layer) -> str:
    """Return what users should know about the sources that a virtual layer embeds; empty without any."""
    sources = embedded_sources(layer)
    if not sources:
        return ""
    missing = [project.file_name(source.path) for source in sources if not _located(project, source)]
    if missing:
        reason = f"names the file '{missing[0]}', which is missing"
    else:
        names = ", ".join(f"'{project.file_name(source.path)}'" for source in sources)
        reason = f"reads {names} itself, and so does not show edits of the device"
    return f"Virtual layer '{layer.name}' {reason}. Let its query use layers of the project."


def _located(project: Project, source: FileSource | TextSource) -> Path | None:
    try:
        return project.locate(source)
    except GisError:
        return None
