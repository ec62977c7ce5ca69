"""The Django application that holds every table of the node."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Label `core`: the tables keep QFieldCloud's names (`core_job`, `core_project`, …)."""

    name = "qfc_node.core"
    label = "core"
    verbose_name = "QFieldCloud"
    default_auto_field = "django.db.models.AutoField"  # pyright: ignore[reportAssignmentType]  (stubs say cached_property)

    def ready(self) -> None:
        """Connect the signals."""
        from .signals import connect  # models are only ready now

        connect()
