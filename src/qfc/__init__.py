"""qfc: the management suite for QFieldCloud servers."""

__version__ = "0.1.0"
