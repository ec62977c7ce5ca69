"""Do every kind of job once with a small project of our own, so that all that jobs load and prepare is in memory.

The process that starts jobs does this once; its children then begin where the rehearsal ended.
"""

from __future__ import annotations

import tempfile
import uuid
from contextlib import closing
from pathlib import Path

from . import geopackage
from .deltas import apply_deltas
from .gdal import Transformation
from .layers import inspect_all
from .package import build_package
from .port import Delta
from .project import Project
from .report import project_details
from .thumbnail import draw_thumbnail

_LAYER = "points"
_CREATE = f"""
    CREATE TABLE {_LAYER} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, name TEXT);
    INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id)
        VALUES ('{_LAYER}', 'features', '{_LAYER}', 4326);
    INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'EPSG:4326', '');
    INSERT INTO gpkg_geometry_columns VALUES ('{_LAYER}', 'geom', 'POINT', 4326, 0, 0);
"""
_PROJECT = f"""<qgis version='3.40.6' projectname='Rehearsal'><title>Rehearsal</title>
    <projectCrs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></projectCrs>
    <layer-tree-group><layer-tree-layer id='{_LAYER}' checked='Qt::Checked'/></layer-tree-group>
    <mapcanvas name='theMapCanvas'>
        <extent><xmin>7</xmin><ymin>46</ymin><xmax>10</xmax><ymax>48</ymax></extent>
    </mapcanvas>
    <projectlayers><maplayer type='vector' wkbType='Point' readOnly='0'>
        <id>{_LAYER}</id><datasource>./data.gpkg|layername={_LAYER}</datasource><layername>{_LAYER}</layername>
        <srs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></srs><provider>ogr</provider>
        <customproperties>
            <Option type='Map'><Option type='QString' name='QFieldSync/action' value='offline'/></Option>
        </customproperties>
    </maplayer></projectlayers>
</qgis>"""


def rehearse() -> None:
    """Report, package and edit the project."""
    Transformation("EPSG:4326", "EPSG:3857").points([(8.0, 47.0)])
    with tempfile.TemporaryDirectory(prefix="qfc-rehearsal-") as name:
        path = _write(Path(name))
        _edit(Project.read(path))
        project = Project.read(path)
        states = inspect_all(project)
        project_details(project, states.values())
        draw_thumbnail(project, states)
        export = Path(name, "export")
        export.mkdir()
        build_package(project, export, _quiet)


def _write(folder: Path) -> Path:
    with closing(geopackage.create(folder / "data.gpkg")) as connection:
        connection.executescript(_CREATE)
        geopackage.create_index(connection, _LAYER, "fid", "geom")
        geopackage.create_index_triggers(connection, _LAYER, "fid", "geom")
    path = folder / "project.qgs"
    path.write_text(_PROJECT, encoding="utf-8")
    return path


def _edit(project: Project) -> None:
    names = ("uuid", "clientId", "exportId", "localPk", "sourcePk")
    content = {name: str(uuid.uuid4()) for name in names} | {"localLayerId": _LAYER, "sourceLayerId": _LAYER}
    new = {"geometry": "Point (8 47)", "attributes": {"name": "here"}}
    delta = Delta("1", "1", "1", {**content, "method": "create", "new": new})
    apply_deltas(project, [delta], overwrite_conflicts=True, known_pks={}, log=_quiet)


def _quiet(line: str) -> None:
    del line
