"""`status/`: the current state of the node's parts."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import probes
from ...core.notices import Notices, current
from ..base import NodeView
from ..errors import UnavailableError
from ..openapi import operation

WORDS = [probes.OK, probes.ERROR]


class StorageStatusSerializer(serializers.Serializer[Any]):
    """The state of each store by name."""

    default = serializers.ChoiceField(WORDS, read_only=True)


class NoticesSerializer(serializers.Serializer[Any]):
    """The operator's notices to users."""

    status_page_url = serializers.CharField(read_only=True, allow_null=True)
    incident_message = serializers.CharField(read_only=True, allow_null=True)
    incident_timestamp_utc = serializers.DateTimeField(read_only=True, allow_null=True, default_timezone=UTC)
    maintenance_message = serializers.CharField(read_only=True, allow_null=True)
    maintenance_start_timestamp_utc = serializers.DateTimeField(read_only=True, allow_null=True, default_timezone=UTC)
    maintenance_end_timestamp_utc = serializers.DateTimeField(read_only=True, allow_null=True, default_timezone=UTC)


class StatusSerializer(NoticesSerializer):
    """The state of each part, and the operator's notices. Clients before 2025 read `geodb` and `storage`."""

    database = serializers.ChoiceField(WORDS, read_only=True)
    storages = StorageStatusSerializer(read_only=True)
    queue = serializers.ChoiceField(WORDS, read_only=True)
    geodb = serializers.ChoiceField(WORDS, read_only=True)
    storage = serializers.ChoiceField(WORDS, read_only=True)
    code = serializers.CharField(required=False, help_text="`status_not_ok` if a part does not work.")
    message = serializers.CharField(required=False, help_text="What does not work.")


class StatusView(NodeView):
    """`status/`."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation(
        "status",
        "Whether database, file store and queue work",
        answers={200: StatusSerializer, 503: StatusSerializer},
        errors=(),
        description="200 while the API can serve, which is while the database works: apps show notices only with 200.",
    )
    def get(self, request: Request) -> Response:
        """Probe everything."""
        del request
        found = probes.probe()
        has_database = found.database == probes.OK
        notices = current() if has_database else Notices()
        answer: dict[str, Any] = {
            "database": found.database,
            "storages": {"default": found.storage},
            "queue": found.queue,
            "geodb": found.database,
            "storage": found.storage,
            **NoticesSerializer(notices).data,
        }
        if not found.is_ok:
            answer |= {"code": UnavailableError.code, "message": "; ".join(found.problems)}
        return Response(answer) if has_database else Response(answer, status=503, headers={"Retry-After": "5"})
