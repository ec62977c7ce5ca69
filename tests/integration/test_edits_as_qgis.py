"""The same edits of the same files, by the node and by QGIS: QGIS reads equal values and geometries from both."""

from __future__ import annotations

import base64
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from delta_world import delta
from gis_samples import layer_xml, write_project
from qfc_node.gis.deltas import apply_deltas
from qfc_node.gis.port import Delta
from qfc_node.gis.project import Project
from qgis_process import Qgis, qgis_is_there, running_qgis
from random_layers import FORMATS, Edit, Format, Layer, layers
from requirements import require

#: GDAL warns of texts that are wider than their field, which are kept as they are, as by QGIS.
pytestmark = [pytest.mark.qgis, pytest.mark.filterwarnings("ignore:Value of field .* whereas maximum allowed")]

EDITS_PER_LAYER = 30
#: Edits of all formats together.
EDITS = int(os.environ.get("QFC_QGIS_EDITS", "2000"))
#: A folder in memory: QGIS waits for the disk after every edit.
IN_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qgis]:
    require("qgis", qgis_is_there(), "no QGIS for /usr/bin/python3 (package python3-qgis)")
    with running_qgis(tmp_path_factory.mktemp("qgis") / "errors") as process:
        yield process


class Copies:
    """A layer twice: one file for the node, one for QGIS."""

    def __init__(self, qgis: Qgis, layer: Layer, folder: Path) -> None:
        self._qgis, self._layer, self._folder = qgis, layer, folder
        self.ours, self.theirs = folder / "ours", folder / "theirs"
        self.ours.mkdir()
        self._make(layer.format, self.ours)
        if layer.format.twin:
            self.theirs.mkdir()
            self._make(FORMATS[layer.format.twin], self.theirs)
        else:
            shutil.copytree(self.ours, self.theirs)

    def _make(self, kind: Format, folder: Path) -> None:
        fields = [(name, *more) for name, *more in self._layer.format.fields]
        features = []
        for key, (values, wkt) in self._layer.features.items():
            features.append((key if kind.has_ids else None, values if kind.has_ids else [key, *values], wkt))
        if not kind.has_ids:
            is_text = any(isinstance(key, str) for key in self._layer.features)
            fields.insert(0, ("fid", "text" if is_text else "long", 0, 0))
        self._qgis.ask(
            "make",
            driver=kind.driver,
            path=str(folder / kind.file),
            geometry=self._layer.geometry,
            fields=fields,
            features=features,
            options=kind.options,
            dataset_options=kind.dataset_options,
        )

    def _source(self, folder: Path, kind: Format) -> str:
        return f"{folder / kind.file}{kind.layer}"

    @property
    def _their_format(self) -> Format:
        return FORMATS[self._layer.format.twin] if self._layer.format.twin else self._layer.format

    def read(self, folder: Path) -> dict[str, Any]:
        """What QGIS sees. Without widths, which QGIS also grows for values that a later edit replaces."""
        kind = self._layer.format if folder == self.ours else self._their_format
        seen = self._qgis.ask("read", source=self._source(folder, kind), provider="ogr")
        seen["fields"] = [field[:2] for field in seen["fields"]]
        if self._layer.format.twin:
            seen["features"].sort(key=lambda feature: feature[0]["fid"])
        return seen

    def apply_ours(self) -> list[str | None]:
        """Apply the edits as deltas; return for each why it was not applied."""
        kind = self._layer.format
        project = Project.read(write_project(self.ours, [layer_xml("t", self._source(Path(), kind))]))
        deltas = [self._delta(edit) for edit in self._layer.edits]
        report = apply_deltas(project, deltas, overwrite_conflicts=True, known_pks={}, log=lambda _: None)
        return [None if each.status == "applied" else str(each.feedback["msg"]) for each in report.outcomes]

    def _delta(self, edit: Edit) -> Delta:
        key, attributes = self._layer.format.key, dict(edit.attributes)
        new: dict[str, Any] = {"attributes": attributes}
        if edit.method == "create":
            attributes[key] = edit.key
        if edit.method == "create" or edit.moves:
            new["geometry"] = edit.geometry
        old = {"geometry": "Point (0 0)", "attributes": {}}
        return delta(edit.method, "t", edit.key, local=edit.key, old=old, new=new)

    def apply_theirs(self) -> list[str | None]:
        """Let QGIS make the edits; return for each why it did not."""
        kind = self._their_format
        edits = [self._qgis_edit(edit) for edit in self._layer.edits]
        source = self._source(self.theirs, kind)
        return self._qgis.ask("apply", source=source, provider="ogr", key=kind.key, edits=edits)["outcomes"]

    def _qgis_edit(self, edit: Edit) -> dict[str, Any]:
        kind = self._their_format
        new: dict[str, Any] = {"method": edit.method, "key": edit.key, "attributes": dict(edit.attributes)}
        if edit.method == "create":
            new["attributes"][kind.key] = edit.key
        if edit.method == "create" or edit.moves:
            new["geometry"] = edit.geometry
        return new


def without_fractions(seen: dict[str, Any]) -> dict[str, Any]:
    """Without fractions of seconds, which QGIS 3.22 does not write."""
    features = [
        [{name: cut(value) if name == "seen" else value for name, value in values.items()}, place]
        for values, place in seen["features"]
    ]
    return {**seen, "features": features}


def cut(moment: str | None) -> str | None:
    return None if moment is None else re.sub(r"\.\d+", "", moment)


def check_rules(layer: Layer, reasons: list[str | None], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Only the features of applied edits changed, and they hold every value that was asked for."""
    key = layer.format.key
    old, new = ({str(values[key]): (values, place) for values, place in seen["features"]} for seen in (before, after))
    asked: dict[str, dict[str, Any] | None] = {}
    for edit, reason in zip(layer.edits, reasons, strict=True):
        if reason is None:
            known = asked.get(str(edit.key)) or {}
            asked[str(edit.key)] = None if edit.method == "delete" else {**known, **edit.attributes}
    assert {name: feature for name, feature in new.items() if name not in asked} == {
        name: feature for name, feature in old.items() if name not in asked
    }
    kinds = {name: kind for name, kind, _, _ in layer.format.fields}
    for name, values in asked.items():
        assert (name in new) == (values is not None), name
        for each, value in (values or {}).items():
            held = new[name][0][each]
            assert means(kinds[each], value, held) or blank(layer.format, value) == blank(layer.format, held), (
                name,
                each,
                value,
                held,
            )


def blank(kind: Format, value: Any) -> Any:
    """A value as formats keep it that cannot tell null from an empty text, or drop blanks at the ends."""
    if kind.driver == "ESRI Shapefile" and isinstance(value, str):
        value = value.strip(" ")
    return None if value == "" and kind.driver in ("ESRI Shapefile", "CSV") else value


def means(kind: str, asked: Any, held: Any) -> bool:
    """Whether QGIS reads a value as it was sent. QGIS 3.22 reads 46.181 s as 46.180 s, and no zone."""
    if asked is None or held is None:
        return asked is held
    match kind:
        case "moment":
            one, other = (datetime.fromisoformat(each.removesuffix("Z")) for each in (asked, held))
            return abs(one - other) <= timedelta(milliseconds=1)
        case "binary":
            return base64.b64decode(asked).hex() == held
        case "real within limits":
            return abs(asked - held) <= 0.0005
        case "real" | "single":
            return math.isclose(asked, held, rel_tol=1e-14 if kind == "real" else 1e-6)
        case _:
            return asked == held


@pytest.mark.parametrize("name", FORMATS)
@settings(
    max_examples=max(1, EDITS // EDITS_PER_LAYER // len(FORMATS)),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_edits_give_what_qgis_gives(qgis: Qgis, name: str, data: st.DataObject) -> None:
    layer = data.draw(layers(FORMATS[name], EDITS_PER_LAYER))
    folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    try:
        copies = Copies(qgis, layer, folder)
        before = copies.read(copies.ours)
        ours, theirs = copies.apply_ours(), copies.apply_theirs()
        for edit, mine, other in zip(layer.edits, ours, theirs, strict=True):
            assert (mine is None) == (other is None), (edit, mine, other)
        after = copies.read(copies.ours)
        check_rules(layer, ours, before, after)
        assert without_fractions(after) == without_fractions(copies.read(copies.theirs))
    finally:
        shutil.rmtree(folder)
