"""Draw a QGIS project with QGIS: `draw_map.py PROJECT PICTURE WIDTH HEIGHT`, with a Python that has `qgis`."""

# pyright: basic, reportMissingImports=false
# QGIS is in the system's Python only, not in the environment in which this file is checked.

from __future__ import annotations

import sys
from typing import Any


def main(project_file: str, picture: str, width: int, height: int) -> int:
    """Draw the layers that are switched on, in the project's own view."""
    from qgis import core
    from qgis.PyQt.QtCore import QSize

    application: Any = core.QgsApplication([], False)
    application.initQgis()
    project: Any = core.QgsProject.instance()
    if not project.read(project_file):
        return 1
    settings: Any = core.QgsMapSettings()
    settings.setLayers(project.layerTreeRoot().checkedLayers())
    settings.setDestinationCrs(project.crs())
    settings.setOutputSize(QSize(width, height))
    settings.setExtent(project.viewSettings().defaultViewExtent())
    job: Any = core.QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return 0 if job.renderedImage().save(picture) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
