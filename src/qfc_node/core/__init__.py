"""Models, migrations, admin and management commands of the node."""
