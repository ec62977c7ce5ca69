"""The embedded node: a QFieldCloud-compatible server that needs nothing but Python."""

__version__ = "0.1.0"
