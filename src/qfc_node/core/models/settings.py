"""Settings that operators change while the node runs."""

from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """A setting by its name in upstream's table; the value is text. Without a row, the default counts."""

    key = models.CharField(max_length=255, unique=True)
    value = models.TextField(blank=True)

    class Meta:
        db_table = "constance_constance"

    def __str__(self) -> str:
        return self.key
