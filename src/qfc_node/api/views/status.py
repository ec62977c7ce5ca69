"""`status/`: the current state of the node's parts."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import probes
from ..base import NodeView
from ..errors import UnavailableError
from ..openapi import operation

WORDS = [probes.OK, probes.ERROR]


class StorageStatusSerializer(serializers.Serializer[Any]):
    """The state of each store by name."""

    default = serializers.ChoiceField(WORDS, read_only=True)


class StatusSerializer(serializers.Serializer[Any]):
    """The state of each part. Clients before 2025 read `geodb` and `storage`."""

    database = serializers.ChoiceField(WORDS, read_only=True)
    storages = StorageStatusSerializer(read_only=True)
    queue = serializers.ChoiceField(WORDS, read_only=True)
    geodb = serializers.ChoiceField(WORDS, read_only=True)
    storage = serializers.ChoiceField(WORDS, read_only=True)


class BrokenStatusSerializer(StatusSerializer):
    """The state of each part, if one of them does not work."""

    code = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)


class StatusView(NodeView):
    """`status/`."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation(
        "status",
        "Whether database, file store and queue work",
        answers={200: StatusSerializer, 503: BrokenStatusSerializer},
        errors=(),
    )
    def get(self, request: Request) -> Response:
        """Probe everything."""
        del request
        found = probes.probe()
        answer: dict[str, Any] = {
            "database": found.database,
            "storages": {"default": found.storage},
            "queue": found.queue,
            "geodb": found.database,
            "storage": found.storage,
        }
        if found.is_ok:
            return Response(answer)
        error = {"code": UnavailableError.code, "message": "; ".join(found.problems)}
        return Response({**error, **answer}, status=503, headers={"Retry-After": "5"})
