"""Drivers that edit features in place, one per kind of source."""
