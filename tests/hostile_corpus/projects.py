"""Project files and edits that reach outside, or that are far too large or deep."""

from __future__ import annotations

import zipfile

from gis_samples import layer_xml, project_xml, trees
from hostile_corpus.case import Case, Place, delta, project

_EDITS = (delta("patch", "1", {"name": "changed"}),)
_DEEP = 200_000


def _xml(place: Place, declaration: str, used: str = "&a;", encoding: str = "utf-8", name: str = "survey.qgs") -> None:
    """A project with a document type, and a title that uses it."""
    trees(place.files / "a.gpkg")
    body = project_xml([layer_xml("layer", "./a.gpkg|layername=trees")]).split("\n", 1)[1]
    body = body.replace("<title>Survey</title>", f"<title>{used}</title>")
    content = f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE qgis {declaration}>\n{body}'.encode(encoding)
    if name.endswith(".qgz"):
        with zipfile.ZipFile(place.files / "survey.qgs", "w") as archive:
            archive.writestr("survey.qgs", content)
    else:
        (place.files / name).write_bytes(content)


def _entity(place: Place, encoding: str = "utf-8") -> None:
    _xml(place, f'[<!ENTITY a SYSTEM "file://{place.canaries.path("secret.txt")}">]', encoding=encoding)


def _laughs(place: Place, encoding: str = "utf-8") -> None:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    _xml(place, f'[<!ENTITY a0 "ha">{entities}]', "&a12;", encoding)


def _with(place: Place, *, settings: str = "", more: str = "") -> None:
    trees(place.files / "a.gpkg")
    project(place, "./a.gpkg|layername=trees", properties_xml=settings, project_more=more)


def _list(scope: str, key: str, value: str) -> str:
    return f"<{scope}><{key} type='QStringList'><value>{value}</value></{key}></{scope}>"


def _pictures(place: Place) -> None:
    names = [
        "../../outside/secret.svg",
        place.canaries.path("secret.svg"),
        f"file://{place.canaries.path('secret.svg')}",
    ]
    names += ["./x/../../../outside/secret.svg", "..%2F..%2Foutside%2Fsecret.svg", place.canaries.url("a.svg")]
    _with(place, more="".join(f"<Layout><picture file='{name}'/></Layout>" for name in names))


def _plugin(place: Place) -> None:
    (place.files / "survey.qml").symlink_to(place.canaries.path("secret.qml"))
    (place.files / "survey_attachments.zip").symlink_to(place.canaries.path("secret.txt"))
    (place.files / "survey.qgd").symlink_to(place.canaries.path("secret.txt"))
    _with(place)


def _deep_groups(place: Place) -> None:
    trees(place.files / "a.gpkg")
    tree = "<layer-tree-group>" * 1500 + "<layer-tree-layer id='layer'/>" + "</layer-tree-group>" * 1500
    text = project_xml([layer_xml("layer", "./a.gpkg|layername=trees")], tree=tree)
    (place.files / "survey.qgs").write_text(text)


def _extent(place: Place, values: str) -> None:
    _with(place)
    path = place.files / "survey.qgs"
    xmin, ymin, xmax, ymax = values.split()
    text = path.read_text().replace("<xmin>7</xmin><ymin>46</ymin><xmax>10</xmax><ymax>48</ymax>", "")
    extent = f"<extent><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    path.write_text(text.replace("<mapcanvas name='theMapCanvas'><extent>", f"<mapcanvas name='theMapCanvas'>{extent}"))


def _database(place: Place, address: str) -> None:
    name = "" if "dbname" in address else "dbname='d'"
    project(place, f"{address} {name} user='u' key='id' table=\"t\"", provider="postgres", wkb_type="NoGeometry")


def _loopback(place: Place) -> str:
    return f"host='127.0.0.1' port='{place.canaries.port}'"


def _edit_of_trees(place: Place) -> None:
    _with(place)


def _deep_geometry() -> str:
    return "GEOMETRYCOLLECTION(" * _DEEP + "POINT (1 2)" + ")" * _DEEP


CASES = [
    Case("entity of a file", _entity),
    Case("entity of a file in UTF-16", lambda p: _entity(p, "utf-16")),
    Case("entity of a file in UTF-7", lambda p: _entity(p, "utf-7")),
    Case("entity of a file in EBCDIC", lambda p: _entity(p, "cp037")),
    Case("entity of an address", lambda p: _xml(p, f'[<!ENTITY a SYSTEM "{p.canaries.url("a")}">]')),
    Case("entity of the document type", lambda p: _xml(p, f'[<!ENTITY % a SYSTEM "{p.canaries.url("a")}"> %a;]', "x")),
    Case("document type at an address", lambda p: _xml(p, f'SYSTEM "{p.canaries.url("a.dtd")}"', "x")),
    Case("entities of entities", _laughs),
    Case("entities of entities in UTF-7", lambda p: _laughs(p, "utf-7")),
    Case(
        "inclusion",
        lambda p: _with(
            p,
            more="<include xmlns='http://www.w3.org/2001/XInclude' parse='text'"
            f" href='{p.canaries.path('secret.txt')}'/>",
        ),
    ),
    Case("groups in groups", _deep_groups),
    Case(
        "data folder above the project", lambda p: _with(p, settings=_list("QFieldSync", "dataDirs", "../../outside"))
    ),
    Case("data folder anywhere", lambda p: _with(p, settings=_list("qfieldsync", "dataDirs", p.canaries.path("")))),
    Case(
        "attachments above the project",
        lambda p: _with(p, settings=_list("QFieldSync", "attachmentDirs", "../../outside")),
    ),
    Case("pictures outside", _pictures),
    Case("companions that are links", _plugin),
    Case("extent without end", lambda p: _extent(p, "-1e308 -1e308 1e308 1e308")),
    Case("extent of nothing", lambda p: _extent(p, "nan inf -inf nan")),
    *(
        Case(f"database {name}", lambda p, make=make: _database(p, make(p)), held_by, ("package", "apply"), _EDITS)
        for name, held_by, make in (
            ("on loopback", ("addresses",), _loopback),
            ("at localhost", ("addresses",), lambda p: f"host='localhost' port='{p.canaries.port}'"),
            ("at a number", ("addresses",), lambda p: f"host='2130706433' port='{p.canaries.port}'"),
            ("at everything", ("addresses",), lambda p: f"host='0.0.0.0' port='{p.canaries.port}'"),
            ("at a mapped address", ("addresses",), lambda p: f"host='::ffff:127.0.0.1' port='{p.canaries.port}'"),
            ("by its address only", ("addresses",), lambda p: f"hostaddr='127.0.0.1' port='{p.canaries.port}'"),
            ("of several", ("list",), lambda p: f"host='db.invalid,127.0.0.1' port='{p.canaries.port}'"),
            ("on a socket", ("list",), lambda p: f"host='{p.canaries.folder}' port='5432'"),
            ("on a socket behind an address", ("list",), lambda p: f"host='{p.canaries.folder}' hostaddr='127.0.0.1'"),
            ("of nothing", ("list",), lambda _: ""),
            ("in its own name", ("list",), lambda p: f"dbname='host={p.canaries.folder}'"),
            (
                "with a certificate",
                ("list",),
                lambda p: f"{_loopback(p)} sslrootcert='{p.canaries.path('secret.txt')}'",
            ),
        )
    ),
    Case(
        "edit with a geometry of great depth",
        _edit_of_trees,
        actions=("apply",),
        deltas=[delta("create", "9", {"name": "deep"}, _deep_geometry())],
    ),
    Case(
        "edit with a geometry of great length",
        _edit_of_trees,
        actions=("apply",),
        deltas=[delta("create", "9", {}, f"LINESTRING ({'1 2,' * 3_000_000}1 2)")],
    ),
    Case(
        "edit of strange names",
        _edit_of_trees,
        actions=("apply",),
        deltas=[
            delta("patch", "1", {"name": "x", "\u202egnp.exe": "y", "a\x1b[31m": 1, "../../x": 2}),
            delta("patch", "1 OR 1=1", {"name": "x"}),
            delta("patch", "'; DROP TABLE trees; --", {"name": "x"}),
        ],
    ),
]
