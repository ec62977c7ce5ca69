"""A phone in the field: keeps its copy of the survey, and records every edit as QField does.

A deltafile has the ids of the device and of each edit, the values before and after, and geometries as WKT. The device
chooses the key of a feature that it creates; two devices may choose the same.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from .geometry import Geometry, to_wkt
from .survey import Attributes, Feature, Survey

Content = dict[str, Any]


class Device:
    """One QField installation. `rng` generates its ids, so that a test can reproduce them."""

    def __init__(self, username: str, survey: Survey, rng: random.Random) -> None:
        self.username = username
        self.client_id = self._new_id(rng)
        self.photos: dict[str, bytes] = {}
        self._rng = rng
        self._export_id = self._new_id(rng)
        self._layers = survey.layers
        self._features = {name: dict(rows) for name, rows in survey.features.items()}
        self._deltas: list[Content] = []

    def create(self, layer: str, attributes: Attributes, geometry: Geometry | None = None) -> int:
        """Create a feature; return its key on this device until the next download."""
        key = max(self._features[layer], default=0) + 1
        values = {"uuid": "{" + self._new_id(self._rng) + "}", **attributes}
        self._features[layer][key] = Feature(key, values, geometry)
        new: Content = {"attributes": {"fid": key, **values}}
        if geometry is not None:
            new["geometry"] = to_wkt(geometry)
        self._record("create", layer, key, new=new)
        return key

    def patch(self, layer: str, key: int, changes: Attributes, geometry: Geometry | None = None) -> None:
        """Change some attributes of a feature, and its geometry if one is given."""
        before = self._features[layer][key]
        self._features[layer][key] = replace(
            before, attributes={**before.attributes, **changes}, geometry=geometry or before.geometry
        )
        old: Content = {}
        new: Content = {}
        if changes:
            old["attributes"] = {name: before.attributes.get(name) for name in changes}
            new["attributes"] = dict(changes)
        if geometry is not None and before.geometry is not None:
            old["geometry"], new["geometry"] = to_wkt(before.geometry), to_wkt(geometry)
        self._add_checksum(new)
        self._record("patch", layer, key, old=old, new=new)

    def delete(self, layer: str, key: int) -> None:
        """Remove a feature."""
        before = self._features[layer].pop(key)
        old: Content = {"attributes": {"fid": key, **before.attributes}}
        if before.geometry is not None:
            old["geometry"] = to_wkt(before.geometry)
        self._record("delete", layer, key, old=old)

    def take_photo(self, name: str, picture: Path) -> str:
        """Store a picture for upload, under a unique name; return the value of the photo attribute."""
        path = f"DCIM/{name}_{self._new_id(self._rng)[:8]}.jpg"
        self.photos[path] = picture.read_bytes()
        return path

    def deltafile(self, project_id: str) -> Content:
        """Return all edits since the last call, ready to push."""
        deltas, self._deltas = self._deltas, []
        return {
            "id": self._new_id(self._rng),
            "project": project_id,
            "version": "1.0",
            "files": [],
            "deltas": deltas,
        }

    def _record(self, method: str, layer: str, key: int, **states: Content) -> None:
        layer_id = self._layers[layer].id
        self._deltas.append(
            {
                "uuid": self._new_id(self._rng),
                "clientId": self.client_id,
                "exportId": self._export_id,
                "localPk": str(key),
                "sourcePk": str(key),
                "localLayerId": layer_id,
                "sourceLayerId": layer_id,
                "method": method,
                **states,
            }
        )

    def _add_checksum(self, new: Content) -> None:
        photo = new.get("attributes", {}).get("photo")
        if photo in self.photos:
            new["files_sha256"] = {photo: hashlib.sha256(self.photos[photo]).hexdigest()}

    @staticmethod
    def _new_id(rng: random.Random) -> str:
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
