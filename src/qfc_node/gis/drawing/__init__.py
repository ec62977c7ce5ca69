"""Drawing a small map of a project."""
