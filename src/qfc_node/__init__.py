"""The embedded node: a QFieldCloud-compatible server that only needs Python."""

__version__ = "0.1.0"
