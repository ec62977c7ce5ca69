"""QGIS projects and their layers without QGIS: read, describe, package, apply deltas. Nothing here uses Django."""
