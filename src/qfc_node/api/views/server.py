"""`server/info/`: what an app shows before anybody logs in."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ..base import NodeView
from ..errors import NotSupportedError
from ..openapi import operation
from ..serializers.accounts import ProviderSerializer
from .auth import PROVIDERS

#: Without pictures of its own, the server leaves it to the app to show one.
WHITELABEL = {"site_title": "QFieldCloud (qfc)", "logo_navbar": None, "logo_main": None, "favicon": None}


class WhitelabelSerializer(serializers.Serializer[Any]):
    """The name and the pictures of the server."""

    site_title = serializers.CharField(read_only=True)
    logo_navbar = serializers.CharField(read_only=True, allow_null=True)
    logo_main = serializers.CharField(read_only=True, allow_null=True)
    favicon = serializers.CharField(read_only=True, allow_null=True)


class ServerInfoSerializer(serializers.Serializer[Any]):
    """The server, for people without an account."""

    whitelabel = WhitelabelSerializer(read_only=True)
    auth_providers = ProviderSerializer(many=True, read_only=True)
    signup_url = serializers.CharField(read_only=True, allow_null=True)


class ServerInfoView(NodeView):
    """`server/info/`."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation(
        "server_info", "The server's name and the ways to log in", answers={200: ServerInfoSerializer}, errors=()
    )
    def get(self, request: Request) -> Response:
        """Describe the server."""
        del request
        answer = {"whitelabel": WHITELABEL, "auth_providers": PROVIDERS, "signup_url": None}
        return Response(ServerInfoSerializer(answer).data)


class ResendConfirmationView(NodeView):
    """`resend-confirmation/`: on the official server, for people who have just signed up."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation("resend_confirmation", "Not supported: nobody signs up here", answers={}, errors={400})
    def post(self, request: Request) -> Response:
        """Say that there is nothing to confirm."""
        del request
        raise NotSupportedError("accounts are created by its operators, so no address has to be confirmed")
