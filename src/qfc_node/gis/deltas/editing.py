"""The interface for editing a source: find, insert, update, delete. Each driver in `editors/` is for one format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from .geometry import Geometry, GeometryType
from .values import Field, Value


class Unchanged(Enum):
    """Stands for a geometry that does not change (None stands for no geometry).

    `BLANK`: the device sent an empty text, which only a layer without geometries accepts.
    """

    GEOMETRY = "unchanged"
    BLANK = "blank"


GeometryChange = Geometry | None | Unchanged


class RefusedError(Exception):
    """The source refused the edit and did not change. `provider_errors` are the source's own messages."""

    def __init__(self, message: str, provider_errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.provider_errors = provider_errors


class UnidentifiedError(RefusedError):
    """The features of the layer cannot be told apart for certain."""


@dataclass(frozen=True)
class Identity:
    """What identifies the features of a layer, proven: every feature has a value of its own in the field `key`.

    `writable` names the fields that can be written. `keys` are the keys of all features, as devices write them; None if
    nothing but the source itself reads them.
    """

    key: str
    writable: frozenset[str]
    keys: frozenset[str] | None = None


@dataclass(frozen=True)
class LayerSchema:
    """Fields by name. `key` names the field that identifies features.

    `geometry`: None for a table without one. `key_is_fixed`: the key of a feature never changes.
    """

    fields: Mapping[str, Field]
    key: str
    geometry: GeometryType | None
    key_is_fixed: bool = True

    @property
    def writable(self) -> frozenset[str]:
        """Names of the fields that can be written."""
        return frozenset(name for name, field in self.fields.items() if field.is_writable)


@dataclass(frozen=True)
class Feature:
    """A feature as it is now in the source: its key and its attributes."""

    key: str
    attributes: Mapping[str, Value]


class LayerEditor(Protocol):
    """One layer. An operation is either carried out as a whole, or raises RefusedError and changes nothing.

    Attributes are values from `coerce` for the layer's fields; geometries fit the layer's type.
    """

    @property
    def schema(self) -> LayerSchema:
        """Fields, key and geometry type."""
        ...

    def find(self, key: str) -> Feature | None:
        """Return the feature with that key; None without one. Raises UnidentifiedError if several have it."""
        ...

    def insert(self, attributes: Mapping[str, Value], geometry: Geometry | None) -> str:
        """Add a feature and return its key: the one in the attributes if it is free, else a new one of the source."""
        ...

    def update(self, feature: Feature, attributes: Mapping[str, Value], geometry: GeometryChange) -> str:
        """Change the given attributes and geometry; return the key."""
        ...

    def delete(self, feature: Feature) -> None:
        """Remove the feature."""
        ...


class Store(Protocol):
    """One file or database with its layers; its edits are kept all together or not at all."""

    def identity(self, name: str | None, number: int | None = None) -> Identity:
        """Return what identifies the features of a layer. Reads only. Raises RefusedError, or UnidentifiedError.

        Packages ask before they let a device edit the layer; the layer's editor finds features by the same key.
        """
        ...

    def layer(self, name: str | None, number: int | None = None) -> LayerEditor:
        """Return the editor of a layer, by name, by number, or of the only layer. Raises RefusedError."""
        ...

    def commit(self) -> frozenset[Path]:
        """Keep the edits and return the files whose bytes changed. Raises RefusedError; then nothing is kept."""
        ...

    def discard(self) -> None:
        """Drop the edits and close the source. Harmless after a commit or a second time."""
        ...
