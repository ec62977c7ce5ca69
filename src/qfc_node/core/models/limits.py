"""How often projects may be synchronised, how much of that is left, and what was refused."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class RateLimit(models.Model):
    """A limit on what creates jobs. Without a row, nothing is limited.

    `scope` is `all` for all projects together, `project` for each project, or the id of one project, whose own limit
    comes on top of the others.
    """

    scope = models.CharField(max_length=36, primary_key=True)
    per_minute = models.PositiveIntegerField()
    #: When the limit ends by itself.
    until = models.DateTimeField(null=True)

    class Meta:
        db_table = "node_rate_limit"

    def __str__(self) -> str:
        return f"{self.scope}: {self.per_minute} a minute"


class RateBucket(models.Model):
    """The level of one limit's bucket, as the time at which the bucket is empty again."""

    scope = models.CharField(max_length=36, primary_key=True)
    empty_at = models.DateTimeField()

    class Meta:
        db_table = "node_rate_bucket"

    def __str__(self) -> str:
        return f"{self.scope}: empty at {self.empty_at}"


class RateRefusal(models.Model):
    """How many requests for one project were refused within one hour."""

    project_id = models.UUIDField()
    hour = models.DateTimeField()
    refused = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "node_rate_refusal"
        constraints = [models.UniqueConstraint("project_id", "hour", name="node_rate_refusal_one_an_hour")]

    def __str__(self) -> str:
        return f"{self.project_id}: {self.refused}"
