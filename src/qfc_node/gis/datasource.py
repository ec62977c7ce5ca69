"""Decode and encode the `<datasource>` text of a layer, whose form depends on its provider.

QGIS writes the address of a layer's data as one text whose grammar depends on the provider: ogr and gdal have
`path|layername=…|subset=…`, postgres and spatialite `key='value' … table="schema"."name" (geometry) sql=…`,
delimitedtext a file URL with a query. `decode` reads them, `encode` writes them back relative to the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

#: A path among the data that a device has for all projects: of a file, or in the address of tiles.
_LOCALIZED = re.compile(r"(?:^|(?P<url>^file:|\burl=(?:file:)?))localized:(?P<path>[^|?&]*)")
_DATABASE_PROVIDERS = frozenset({"postgres", "spatialite", "mssql", "oracle", "hana"})
_FILE_PROVIDERS = frozenset({"ogr", "gdal", "mdal", "pdal", "ept", "copc"})
#: GDAL addresses a table inside some containers as `GPKG:path:table`.
_GDAL_TABLE = re.compile(r'^(?P<prefix>GPKG):"?(?P<path>.+?)"?:(?P<table>[^:/\\]+)$')
_URL_SCHEME = re.compile(r"^(/vsi\w+/|[a-z][a-z0-9+.-]+://|[A-Z]{2,}:|<)", re.IGNORECASE)
#: GDAL addresses files in a zip file as `/vsizip/path.zip/name`, also with the path in braces.
_ZIPPED = re.compile(
    r"^/vsizip/(?P<brace>\{)?(?P<path>.+?\.(?:zip|kmz|shz))(?(brace)\})(?:/(?P<member>.*))?$", re.IGNORECASE
)
_DRIVE = re.compile(r"^[A-Za-z]:[/\\]")
_KEY_VALUE = re.compile(r"""\s*(?P<key>\w+)=(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<bare>[^\s'"]*))""")
_TABLE = re.compile(
    r"""\s*table=(?:"(?P<first>(?:[^"\\]|\\.|"")*)"(?:\."(?P<second>(?:[^"\\]|\\.|"")*)")?|(?P<bare>[^\s"(]+))"""
    r"""\s*(?:\((?P<geometry>[^()]*)\))?"""
)
_SQL = re.compile(r"\s*sql=(?P<sql>.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class FileSource:
    """Data in a file, of the providers ogr, gdal and similar ones, and of spatialite.

    `options` has the other parts of the text, in their order (`geometrytype`, `option:ENCODING`, …). `member`: the name
    of the data inside the zip file at `path`, empty for its only one; None if it is not a zip file.
    """

    path: Path
    layer_name: str | None = None
    layer_id: int | None = None
    subset: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    provider: str = "ogr"
    geometry_column: str | None = None
    member: str | None = None


@dataclass(frozen=True)
class DatabaseSource:
    """A table of a database server; `table` may be a query in brackets. `parameters` as QGIS writes them."""

    provider: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    schema: str = ""
    table: str = ""
    geometry_column: str | None = None
    subset: str | None = None

    @property
    def key(self) -> str:
        """Name of the primary key column; empty if the project does not name it."""
        return self.parameters.get("key", "")


@dataclass(frozen=True)
class TextSource:
    """A delimited text file. `options`: the URL's parameters, decoded (`xField`, `wktField`, …)."""

    path: Path
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def subset(self) -> str | None:
        """Filter expression of the layer."""
        return self.options.get("subset") or None


@dataclass(frozen=True)
class OtherSource:
    """A source that stays as it is: a service, memory, a virtual layer, a localised path, …"""

    text: str

    @property
    def is_localized(self) -> bool:
        """Whether the data are only on the device."""
        return _LOCALIZED.search(self.text) is not None

    @property
    def localized_path(self) -> str:
        """Path of the file among the localized data, which apps look up in the shared datasets; empty without one."""
        found = _LOCALIZED.search(self.text)
        if found is None:
            return ""
        return unquote(found["path"]) if found["url"] else found["path"]


Source = FileSource | DatabaseSource | TextSource | OtherSource


def decode(provider: str, text: str, folder: Path) -> Source:
    """Decode a datasource text. Relative paths start at `folder`, that of the project file. Never fails."""
    source = OtherSource(text)
    if source.is_localized or not text.strip():
        return source
    if provider in _DATABASE_PROVIDERS:
        return _decode_database(provider, text, folder)
    if provider == "delimitedtext":
        return _decode_text(text, folder)
    if provider in _FILE_PROVIDERS:
        return _decode_file(provider, text, folder)
    return source


def encode(source: Source, folder: Path) -> str:
    """Return the datasource text of `source` for a project file in `folder`."""
    match source:
        case FileSource(provider="spatialite"):
            return _encode_spatialite(source, folder)
        case FileSource():
            return _encode_file(source, folder)
        case DatabaseSource():
            return _encode_database(source)
        case TextSource():
            return _encode_text(source, folder)
        case OtherSource():
            return source.text


def relative_path(path: Path, folder: Path) -> str:
    """Return `path` as QGIS writes it into a project in `folder`: `./data/trees.gpkg`, `../trees.gpkg`."""
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return relative if relative.startswith("..") else f"./{relative}"


def _absolute(text: str, folder: Path) -> Path:
    text = text.replace("\\", "/") if not text.startswith("/") else text
    # A Windows path never exists here; placed below the folder, messages show it and no other file is touched.
    return Path(os.path.normpath(folder.absolute() / text))


def _decode_file(provider: str, text: str, folder: Path) -> Source:
    if table := _GDAL_TABLE.match(text):
        path = _absolute(table["path"], folder)
        return FileSource(path, table["table"], options={"prefix": table["prefix"]}, provider=provider)
    head, subset = _split_subset(text)
    name, *parts = head.split("|")
    zipped = _ZIPPED.match(name)
    if not zipped and _URL_SCHEME.match(name) and not _DRIVE.match(name):
        return OtherSource(text)
    options = {key: value for key, _, value in (part.partition("=") for part in parts if part)}
    layer_name = options.pop("layername", None)
    layer_id = options.pop("layerid", None)
    return FileSource(
        path=_absolute(zipped["path"] if zipped else name, folder),
        layer_name=layer_name.strip("'") if layer_name else None,
        layer_id=int(layer_id) if layer_id and layer_id.isdecimal() else None,
        subset=subset,
        options=options,
        provider=provider,
        member=(zipped["member"] or "") if zipped else None,
    )


def _split_subset(text: str) -> tuple[str, str | None]:
    """Split off the subset, which is the last part and may itself contain the separator."""
    head, found, subset = text.partition("|subset=")
    return (head, subset or None) if found else (text, None)


def _encode_file(source: FileSource, folder: Path) -> str:
    path = relative_path(source.path, folder)
    options = dict(source.options)
    if prefix := options.pop("prefix", None):
        return f"{prefix}:{path}:{source.layer_name}"
    parts = [path if source.member is None else f"/vsizip/{path}/{source.member}".rstrip("/")]
    if source.layer_name is not None:
        parts.append(f"layername={source.layer_name}")
    if source.layer_id is not None:
        parts.append(f"layerid={source.layer_id}")
    parts += [f"{key}={value}" for key, value in options.items()]
    if source.subset:
        parts.append(f"subset={source.subset}")
    return "|".join(parts)


def _decode_database(provider: str, text: str, folder: Path) -> Source:
    parameters, schema, table, geometry, subset = _parse_connection(text)
    if provider != "spatialite":
        return DatabaseSource(provider, parameters, schema, table, geometry, subset)
    path = _absolute(parameters.pop("dbname", ""), folder)
    return FileSource(path, table, None, subset, parameters, provider, geometry)


def _parse_connection(text: str) -> tuple[dict[str, str], str, str, str | None, str | None]:
    parameters: dict[str, str] = {}
    schema, table, geometry, subset = "", "", None, None
    position = 0
    while position < len(text):
        if found := _SQL.match(text, position):
            subset = found["sql"].strip() or None
        elif found := _TABLE.match(text, position):
            schema, table = _table_name(found)
            geometry = found["geometry"] or None
        elif found := _KEY_VALUE.match(text, position):
            value = found["bare"] if found["quoted"] is None else _unescape(found["quoted"])
            parameters[found["key"]] = value
        else:
            break
        position = found.end()
    return parameters, schema, table, geometry, subset


def _table_name(found: re.Match[str]) -> tuple[str, str]:
    if found["bare"]:
        schema, _, table = found["bare"].rpartition(".")
        return schema, table
    first = _unescape(found["first"].replace('""', '"'))
    if found["second"] is None:
        return "", first
    return first, _unescape(found["second"].replace('""', '"'))


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _escape(text: str, quote_mark: str) -> str:
    return text.replace("\\", "\\\\").replace(quote_mark, f"\\{quote_mark}")


def _encode_database(source: DatabaseSource) -> str:
    table = f'"{_escape(source.table, chr(34))}"'
    if source.schema:
        table = f'"{_escape(source.schema, chr(34))}".{table}'
    return _connection(source.parameters, table, source.geometry_column, source.subset)


def _encode_spatialite(source: FileSource, folder: Path) -> str:
    parameters = {"dbname": relative_path(source.path, folder), **source.options}
    table = f'"{_escape(source.layer_name or "", chr(34))}"'
    return _connection(parameters, table, source.geometry_column, source.subset)


def _connection(parameters: Mapping[str, str], table: str, geometry: str | None, subset: str | None) -> str:
    words = [f"{key}='{_escape(value, chr(39))}'" for key, value in parameters.items()]
    words.append(f"table={table}")
    if geometry:
        words.append(f"({geometry})")
    if subset:
        words.append(f"sql={subset}")
    return " ".join(words)


def _decode_text(text: str, folder: Path) -> TextSource:
    address, _, query = text.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    options = {unquote(key): unquote(value) for key, _, value in pairs}
    return TextSource(_absolute(_url_path(address), folder), options)


def _url_path(address: str) -> str:
    if not address.startswith("file:"):
        return unquote(address)
    path = unquote(address.removeprefix("file:"))
    return path.removeprefix("//") if path.startswith("///") else path


def _encode_text(source: TextSource, folder: Path) -> str:
    path = quote(relative_path(source.path, folder), safe="/.")
    query = "&".join(f"{quote(key)}={quote(value, safe=':;,/')}" for key, value in source.options.items())
    return f"file:{path}?{query}" if query else f"file:{path}"
