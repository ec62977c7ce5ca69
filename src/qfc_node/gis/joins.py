"""Fields that a layer shows of another one, by a join: they are in no source of its own."""

from __future__ import annotations

from dataclasses import dataclass

from .project import Layer, Project
from .qgs_xml import Element


@dataclass(frozen=True)
class Join:
    """The fields of one join. `fields`: their names without the prefix; empty if the project does not name them."""

    prefix: str
    fields: frozenset[str]

    def gives(self, name: str) -> bool:
        """Whether a field of the layer comes from this join."""
        if not name.startswith(self.prefix):
            return False
        return name.removeprefix(self.prefix) in self.fields or bool(self.prefix and not self.fields)


def joins_of(project: Project, layer: Layer) -> list[Join]:
    """Return the joins of a layer."""
    return [_join(project, element) for element in layer.element.iterfind("vectorjoins/join")]


def _join(project: Project, element: Element) -> Join:
    joined = project.layer(element.get("joinLayerId") or "")
    prefix = element.get("customPrefix")
    if prefix is None:
        prefix = f"{joined.name}_" if joined else ""
    chosen = element.findall("joinFieldsSubset/field")
    fields = chosen or (joined.element.findall("fieldConfiguration/field") if joined else [])
    return Join(prefix, frozenset(name for field in fields if (name := field.get("name"))))
