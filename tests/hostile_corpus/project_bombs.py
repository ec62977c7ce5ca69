"""Projects, and files that travel with them, that would cost much memory or time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

from gis_samples import layer_xml, project_xml, trees
from hostile_corpus.bombs import LARGE, LAUGHS, LAUGHTER, deep, many
from hostile_corpus.case import Case, Place, delta, project

_SOURCE = "./a.gpkg|layername=trees"
_EDITS = (delta("patch", "1", {"name": "changed"}),)


def _deep(place: Place) -> None:
    trees(place.files / "a.gpkg")
    (place.files / "survey.qgs").write_text(project_xml([layer_xml("layer", _SOURCE)], more=deep()))


def _with(more: Callable[[], str]) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        trees(place.files / "a.gpkg")
        project(place, _SOURCE, project_more=more())

    return make


def _beside(name: str, content: Callable[[], bytes | str], size: int = 0) -> Callable[[Place], None]:
    """A project with one more file; `size`, if given, is made of nothing."""

    def make(place: Place) -> None:
        trees(place.files / "a.gpkg")
        data = content()
        (place.files / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        if size:
            os.truncate(place.files / name, size)
        project(place, _SOURCE)

    return make


def _style_in_geopackage(place: Place) -> None:
    trees(place.files / "a.gpkg")
    with closing(sqlite3.connect(place.files / "a.gpkg")) as connection:
        connection.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_name TEXT, styleQML TEXT)")
        connection.execute("INSERT INTO layer_styles VALUES (1, 'trees', ?)", (f"{LAUGHS}<qgis>{LAUGHTER}</qgis>",))
        connection.commit()
    project(place, _SOURCE)


def _laughing() -> str:
    return f"{LAUGHS}<a>{LAUGHTER}</a>"


#: More than a job may need for it.
_HUGE = 320_000_000
_MAKERS: dict[str, Callable[[Place], None]] = {
    "many names of pictures": _with(lambda: many("<p file='./a/{}.svg'/>")),
    "plugin: large": _beside("survey.qml", lambda: b"x" * LARGE),
    "plugin: entities of entities": _beside("survey.qml", _laughing),
    "plugin: deep": _beside("survey.qml", lambda: "Item {" * 10**6),
    "style: entities of entities": _beside("a.qml", _laughing),
    "style: deep": _beside("a.qml", deep),
    "style in a GeoPackage: entities of entities": _style_in_geopackage,
    "metadata: deep": _beside("a.qmd", deep),
    "translation: large": _beside("survey_de.qm", lambda: b"x" * LARGE),
    "attachments: huge": _beside("survey_attachments.zip", bytes, _HUGE),
    "log of a database: large": _beside("a.gpkg-wal", lambda: b"7\x7f\x06\x82" + bytes(LARGE)),
}
CASES = [
    *(
        Case(
            f"project: {name}",
            make,
            actions=("package",) if "huge" in name else ("report", "package", "apply"),
            deltas=_EDITS,
        )
        for name, make in _MAKERS.items()
    ),
    Case("project: deep", _deep, deltas=_EDITS, reason="Excessive depth in document"),
]
