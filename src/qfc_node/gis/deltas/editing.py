"""What applying needs of a source: find, insert, update, delete. Each driver in `editors/` offers it for one format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from .geometry import Geometry, GeometryType
from .values import Field, Value


class Unchanged(Enum):
    """Stands for a geometry that is left as it is (None stands for no geometry)."""

    GEOMETRY = "unchanged"


GeometryChange = Geometry | None | Unchanged


class RefusedError(Exception):
    """The source does not take the edit; nothing of it was changed. `provider_errors` are the source's own words."""

    def __init__(self, message: str, provider_errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.provider_errors = provider_errors


@dataclass(frozen=True)
class LayerSchema:
    """Fields by name. `key` names the one that tells features apart, or is None where the row's number does.

    `geometry`: None for a table without one. `key_is_fixed`: the key of a feature never changes.
    """

    fields: Mapping[str, Field]
    key: str | None
    geometry: GeometryType | None
    key_is_fixed: bool = True


@dataclass(frozen=True)
class Feature:
    """A feature as it is in the source now: its key and its attributes."""

    key: str
    attributes: Mapping[str, Value]


class LayerEditor(Protocol):
    """One layer. An operation either happens as a whole or raises RefusedError and leaves everything as it was.

    Attributes are values that `coerce` made for the layer's fields, geometries fit the layer's type.
    """

    @property
    def schema(self) -> LayerSchema:
        """Fields, key and geometry type."""
        ...

    def find(self, key: str) -> Feature | None:
        """The feature with that key."""
        ...

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a feature and return its key: the one among the attributes if it is free, else one of the source."""
        ...

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Change what is given and return the key."""
        ...

    def delete(self, feature: Feature) -> None:
        """Remove the feature."""
        ...


class Store(Protocol):
    """One file or database with the layers in it; its edits are kept all together or not at all."""

    def layer(self, name: str | None, number: int | None = None) -> LayerEditor:
        """The editor of a layer, by name, by number, or the only one. Raises RefusedError."""
        ...

    def commit(self) -> frozenset[Path]:
        """Keep the edits and return the files whose bytes changed. Raises RefusedError; nothing is kept then."""
        ...

    def discard(self) -> None:
        """Forget the edits, close. Harmless after commit, and twice."""
        ...
