"""Read a QGIS project from its file: coordinate system, extent, layers, entries. Opens no data."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import datasource, old_legend, qgs_xml
from .custom_properties import CustomProperties
from .database_rules import DatabaseRules
from .datasource import FileSource, Source, TextSource
from .defence import Layer as Defence
from .defence import is_on
from .port import MissingFileError
from .project_archive import read_project_xml
from .project_entries import ProjectEntries
from .qgs_xml import Element, text_of


@dataclass(frozen=True)
class Extent:
    """A rectangle in the project's or a layer's coordinate system."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def is_empty(self) -> bool:
        """Whether it covers nothing (QGIS writes such extents for layers without features)."""
        return not (self.xmax > self.xmin and self.ymax > self.ymin)

    def __str__(self) -> str:
        """WKT, as QGIS writes a rectangle."""
        x1, y1, x2, y2 = (f"{value:.17g}" for value in (self.xmin, self.ymin, self.xmax, self.ymax))
        return f"Polygon (({x1} {y1}, {x2} {y1}, {x2} {y2}, {x1} {y2}, {x1} {y1}))"


class Layer:
    """One `<maplayer>`. Its properties are read from the XML on every access."""

    def __init__(self, element: Element, folder: Path) -> None:
        self.element = element
        self.folder = folder
        self.custom_properties = CustomProperties(element)

    @property
    def id(self) -> str:
        """The id by which the layer tree, relations and expressions refer to the layer."""
        return text_of(self.element, "id") or self.element.get("id") or ""

    @property
    def name(self) -> str:
        """The layer's name as users see it."""
        return text_of(self.element, "layername") or self.element.get("name") or ""

    @property
    def kind(self) -> str:
        """vector, raster, mesh, vector-tile, point-cloud, tiled-scene, plugin, annotation, group, …"""
        return self.element.get("type") or "vector"

    @property
    def provider(self) -> str:
        """Key of the data provider: ogr, gdal, delimitedtext, postgres, …"""
        default = "gdal" if self.kind == "raster" else ""
        return text_of(self.element, "provider") or default

    @property
    def datasource(self) -> str:
        """The datasource text."""
        return text_of(self.element, "datasource")

    @property
    def source(self) -> Source:
        """The datasource, decoded."""
        return datasource.decode(self.provider, self.datasource, self.folder)

    @property
    def crs(self) -> str:
        """Authority code of the coordinate system (`EPSG:2056`); empty without one."""
        return text_of(self.element, "srs/spatialrefsys/authid")

    @property
    def crs_definition(self) -> str:
        """The coordinate system: its code, else its WKT, else its PROJ string; empty without one."""
        system = self.element.find("srs/spatialrefsys")
        return self.crs or text_of(system, "wkt") or text_of(system, "proj4")

    @property
    def geometry_type(self) -> str:
        """Name of the geometry type, such as `Point`, `MultiPolygonZ`, `NoGeometry`; empty for rasters."""
        return self.element.get("wkbType") or ""

    @property
    def calculated_fields(self) -> frozenset[str]:
        """Names of the fields that QGIS calculates from expressions: they are in no source."""
        names = (field.get("name") for field in self.element.iterfind("expressionfields/field"))
        return frozenset(name for name in names if name)

    @property
    def is_read_only(self) -> bool:
        """Whether the project forbids editing."""
        return self.element.get("readOnly") == "1"

    @property
    def extent(self) -> Extent | None:
        """Extent of the data when the project was saved, in the layer's coordinate system."""
        return read_extent(self.element.find("extent"))

    @property
    def has_backslashes(self) -> bool:
        """Whether the path of its file is written as on Windows."""
        is_of_files = isinstance(self.source, FileSource | TextSource)
        return is_of_files and "\\" in self.datasource.partition("|")[0].partition("?")[0]

    def set_source(self, source: Source, provider: str) -> None:
        """Point the layer to other data."""
        qgs_xml.set_text(self.element, "datasource", datasource.encode(source, self.folder))
        qgs_xml.set_text(self.element, "provider", provider)


class Project:
    """A project, read from its file. `root`: its XML; `files_root`: the folder of all of the project's files.

    `databases`: the rules for layers that are in databases.
    """

    def __init__(
        self, file: Path, root: Element, files_root: Path | None = None, databases: DatabaseRules | None = None
    ) -> None:
        self.databases = databases or DatabaseRules()
        self.file = Path(os.path.normpath(file.absolute()))
        self.folder = self.file.parent
        self.files_root = Path(os.path.normpath((files_root or self.folder).absolute()))
        self.root = root
        self.entries = ProjectEntries(root)

    @staticmethod
    def read(path: Path, files_root: Path | None = None, databases: DatabaseRules | None = None) -> Project:
        """Read a .qgs or .qgz. Raises InvalidProjectFileError or MissingFileError.

        `files_root`: the top of the project's files, if the project file is in a folder below it.
        """
        return Project(path, qgs_xml.parse(read_project_xml(path), path.name), files_root, databases)

    def save(self, path: Path) -> None:
        """Write the project as .qgs. Relative datasources keep their text, so they now start at the new folder."""
        path.write_bytes(qgs_xml.serialize(self.root))

    @property
    def version(self) -> str:
        """Version of the QGIS that saved the project, such as `3.40.6-Bratislava`."""
        return self.root.get("version") or ""

    @property
    def title(self) -> str:
        """Title of the project; may be empty."""
        return text_of(self.root, "title") or self.root.get("projectname") or ""

    @property
    def crs(self) -> str:
        """Authority code of the project's coordinate system; empty without one."""
        return text_of(self._system, "authid")

    @property
    def crs_definition(self) -> str:
        """The project's coordinate system: its code, else its WKT, else its PROJ string."""
        return self.crs or text_of(self._system, "wkt") or text_of(self._system, "proj4")

    @property
    def _system(self) -> Element | None:
        """The coordinate system's element. Before QGIS 3.4, only the map canvas had one."""
        system = self.root.find("projectCrs/spatialrefsys")
        return self.root.find("mapcanvas/destinationsrs/spatialrefsys") if system is None else system

    @property
    def extent(self) -> Extent | None:
        """Extent of the map canvas when the project was saved, else of its default view, else None."""
        canvas = self.root.find("mapcanvas[@name='theMapCanvas']/extent")
        if canvas is None:  # Before QGIS 2.4, the canvas had no name.
            canvas = self.root.find("mapcanvas/extent")
        return read_extent(canvas) or read_extent(self.root.find("ProjectViewSettings/DefaultViewExtent"))

    @cached_property
    def layers(self) -> list[Layer]:
        """All layers in the order of the layer tree, top first; layers outside the tree come last."""
        by_id: dict[str, Layer] = {}
        for layer in self._written_layers():
            by_id.setdefault(layer.id, layer)
        in_tree = [by_id[layer_id] for layer_id in self.tree_layer_ids() if layer_id in by_id]
        return list(dict.fromkeys([*in_tree, *by_id.values()]))

    def repeated_layers(self) -> list[Layer]:
        """Return the layers whose id an earlier one has: neither QGIS nor a device shows them."""
        seen: set[str] = set()
        return [layer for layer in self._written_layers() if layer.id in seen or seen.add(layer.id)]

    def _written_layers(self) -> list[Layer]:
        return [Layer(element, self.folder) for element in self.root.findall("projectlayers/maplayer")]

    def layer(self, layer_id: str) -> Layer | None:
        """Return the layer with that id; None without one."""
        return next((layer for layer in self.layers if layer.id == layer_id), None)

    def tree_nodes(self) -> Iterable[Element]:
        """Return the `<layer-tree-layer>` elements, top first."""
        tree = self.root.find("layer-tree-group")
        return () if tree is None else tree.iter("layer-tree-layer")

    def tree_layer_ids(self) -> list[str]:
        """Return the layer ids of the layer tree, top first. Before QGIS 2.4, it was a legend."""
        if self.root.find("layer-tree-group") is None:
            return old_legend.layer_ids(self.root)
        return [node.get("id") or "" for node in self.tree_nodes()]

    def ordered_layer_ids(self) -> list[str]:
        """Return the ids in drawing order, top first: the custom order if it is enabled, else the layer tree's."""
        order = self.root.find("layer-tree-group/custom-order")
        if order is None:  # Before QGIS 3, it was beside the tree.
            order = self.root.find("layer-tree-canvas/custom-order")
        if order is None or order.get("enabled") != "1":
            ids = self.tree_layer_ids()
        else:
            ids = [text_of(item) for item in order.findall("item")]
        known = {layer.id for layer in self.layers}
        return [layer_id for layer_id in dict.fromkeys(ids) if layer_id in known]

    def locate(self, source: FileSource | TextSource) -> Path:
        """Return the path of a source's file. Raises MissingFileError if it is missing or not one of the project's."""
        path = Path(os.path.normpath(source.path))
        if (path.is_relative_to(self.files_root) or not is_on(Defence.PATHS)) and self.owns(path):
            return path
        name = self.file_name(path)
        alike = self._found_in_other_case(path)
        hint = f" The project has '{self.file_name(alike)}': rename it, names differ in case." if alike else ""
        raise MissingFileError(f"File '{name}' missing.{hint}")

    def owns(self, path: Path) -> bool:
        """Whether a file exists among the project's, and no link on the way leads out of them."""
        try:
            real = path.resolve(strict=True)
            return real.is_relative_to(self.files_root.resolve()) or not is_on(Defence.PATHS)
        except (OSError, ValueError, RuntimeError):  # missing, not a name, links in a circle
            return False

    def _found_in_other_case(self, path: Path) -> Path | None:
        """Return the file of the project whose name differs from a missing one only in upper and lower case."""
        if not path.is_relative_to(self.files_root):
            return None
        found = self.files_root
        for part in path.relative_to(self.files_root).parts:
            siblings = found.iterdir() if found.is_dir() else iter(())
            matching = next((each for each in siblings if each.name.lower() == part.lower()), None)
            if matching is None:
                return None
            found = matching
        return found

    def file_name(self, path: Path) -> str:
        """Return the name of a file as its owner knows it: relative to the project's files, without local folders."""
        if path.is_relative_to(self.files_root):
            return path.relative_to(self.files_root).as_posix()
        shared = os.path.commonpath([path, self.files_root])
        return path.as_posix() if shared == path.anchor else Path(os.path.relpath(path, self.files_root)).as_posix()

    def remove_layer(self, layer: Layer) -> None:
        """Remove a layer from the layers and from the layer tree."""
        qgs_xml.remove(layer.element)
        for node in [node for node in self.tree_nodes() if node.get("id") == layer.id]:
            qgs_xml.remove(node)
        old_legend.remove(self.root, layer.id)
        self.__dict__.pop("layers", None)


def read_extent(element: Element | None) -> Extent | None:
    """Read an extent from its child elements or attributes; None if it is missing, invalid or empty."""
    if element is None:
        return None
    texts = (text_of(element, name) or element.get(name) or "" for name in ("xmin", "ymin", "xmax", "ymax"))
    try:
        extent = Extent(*(float(text) for text in texts))
    except ValueError:
        return None
    return None if extent.is_empty else extent
