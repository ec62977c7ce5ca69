"""The print layout: an A3 sheet with title, legend, scale bar and north arrow; and a picture of the map."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsLayoutExporter,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
)
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QFont

SHEET = "Survey sheet A3"
WITHOUT_LEGEND = ("Pole inspections", "Materials", "Village plan")


def add_sheet(project: QgsProject, title: str) -> None:
    """Add the layout to the project. Sizes in millimetres."""
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(SHEET)
    layout.pageCollection().page(0).setPageSize("A3", 1)
    picture = QgsLayoutItemMap(layout)
    picture.attemptSetSceneRect(QRectF(12, 28, 320, 226.6))
    picture.setFrameEnabled(True)
    picture.setFrameStrokeWidth(QgsLayoutMeasurement(0.3))
    layout.addLayoutItem(picture)
    view = project.viewSettings().defaultViewExtent()
    picture.zoomToExtent(view)
    _label(layout, title, 22, (12, 10, 260, 14))
    _label(layout, "Gemeinde Hasselried (invented) · EPSG:25832", 9, (252, 16, 156, 8))
    _legend(layout, picture)
    _scale_bar(layout, picture)
    project.layoutManager().addLayout(layout)


def export_picture(project: QgsProject, path: Path, dpi: float) -> None:
    """Draw the sheet as a PNG."""
    layout = project.layoutManager().layoutByName(SHEET)
    if not QgsLayoutExporter(layout).renderPageToImage(0, dpi=dpi).save(str(path)):
        raise RuntimeError(f"QGIS could not draw {path}")


def _label(layout: QgsPrintLayout, text: str, size: int, box: tuple[float, float, float, float]) -> None:
    label = QgsLayoutItemLabel(layout)
    label.setText(text)
    label.setFont(QFont("DejaVu Sans", size))
    label.attemptSetSceneRect(QRectF(*box))
    layout.addLayoutItem(label)


def _legend(layout: QgsPrintLayout, picture: QgsLayoutItemMap) -> None:
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(picture)
    legend.setTitle("Legend")
    legend.setAutoUpdateModel(False)
    for layer in layout.project().mapLayers().values():
        if layer.name() in WITHOUT_LEGEND:
            legend.model().rootGroup().findLayer(layer.id()).parent().removeLayer(layer)
    legend.setLegendFilterByMapEnabled(True)
    legend.attemptMove(QgsLayoutPoint(338, 28))
    layout.addLayoutItem(legend)


def _scale_bar(layout: QgsPrintLayout, picture: QgsLayoutItemMap) -> None:
    bar = QgsLayoutItemScaleBar(layout)
    bar.setStyle("Single Box")
    bar.setLinkedMap(picture)
    bar.applyDefaultSize()
    bar.setUnitsPerSegment(100)
    bar.setBackgroundEnabled(True)
    bar.setReferencePoint(QgsLayoutItem.LowerLeft)
    bar.attemptMove(QgsLayoutPoint(16, 250))
    bar.attemptResize(QgsLayoutSize(70, 14))
    layout.addLayoutItem(bar)
