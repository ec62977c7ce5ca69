"""Draw the service areas around the lots that a cabinet serves."""

from __future__ import annotations

from qgis.core import QgsGeometry

from .network import Network
from .sources import polygon
from .tables import Table
from .village import to_map


def service_areas(network: Network, areas: Table) -> dict[str, QgsGeometry]:
    """Return a multipolygon for each service area name; they do not overlap."""
    drawn: dict[str, QgsGeometry] = {}
    taken = QgsGeometry()
    for _, values in areas.rows:
        lots = [
            polygon(to_map(house.lot)).buffer(17, 4)
            for closure in network.closures
            if closure.branch.cabinet.code == values[2]
            for house in closure.houses
        ]
        area = QgsGeometry.unaryUnion(lots).buffer(-7, 4).simplify(0.8)
        area = area if taken.isNull() else area.difference(taken.buffer(1.0, 4))
        taken = area if taken.isNull() else taken.combine(area)
        area.convertToMultiType()
        drawn[str(values[1])] = area
    return drawn
