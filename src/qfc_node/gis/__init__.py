"""QGIS projects and their layers without QGIS: read, describe, package, apply deltas. No Django in here."""
