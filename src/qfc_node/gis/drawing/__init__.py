"""Draw a small map of a project."""
