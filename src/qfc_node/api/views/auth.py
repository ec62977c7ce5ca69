"""Logging in and out."""

from __future__ import annotations

from typing import ClassVar, cast

from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from ...core.models import AuthToken
from ..authentication import log_in
from ..base import NodeView
from ..openapi import BODY, CALLER, operation
from ..serializers.accounts import DetailSerializer, LoginBody, OwnUserSerializer, ProviderSerializer, TokenSerializer

#: Without this entry, QFieldSync disables its login form.
PROVIDERS = [{"type": "credentials", "id": "credentials", "name": "Username / Password"}]


class LoginView(NodeView):
    """`auth/login/` and `auth/token/`."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation(
        "auth_login",
        "Log in with the name or e-mail address and the password",
        request=LoginBody,
        answers={200: TokenSerializer},
        errors=BODY | {401, 503},
    )
    def post(self, request: Request) -> Response:
        """Create a token."""
        fields = self.read_body(LoginBody)
        name = fields.get("username") or fields.get("email")
        if not name:
            raise ValidationError({"username": "The name or the e-mail address is required."})
        token = log_in(request, name, fields["password"])
        return Response(TokenSerializer(token, context={"request": request}).data)


class TokenView(LoginView):
    """`auth/token/`, the older URL of the same."""

    @operation(
        "auth_token",
        "Log in; the older URL",
        request=LoginBody,
        answers={200: TokenSerializer},
        errors=BODY | {401, 503},
    )
    def post(self, request: Request) -> Response:
        """Create a token."""
        return super().post(request)


class LogoutView(NodeView):
    """`auth/logout/`."""

    permission_classes: ClassVar = [AllowAny]

    @operation("auth_logout", "End the token of this request; other tokens stay valid", answers={200: DetailSerializer})
    def post(self, request: Request) -> Response:
        """End the token; without one there is nothing to do."""
        token = cast(AuthToken | None, request.auth)
        if token is not None:
            AuthToken.objects.filter(pk=token.pk).update(expires_at=timezone.now(), updated_at=timezone.now())
        return Response({"detail": "Successfully logged out."})


class CallerView(NodeView):
    """`auth/user/`."""

    @operation("auth_user", "The user of the token", answers={200: OwnUserSerializer}, errors=CALLER)
    def get(self, request: Request) -> Response:
        """Describe the caller."""
        del request
        return Response(OwnUserSerializer(self.caller, context=self.context).data)


class ProvidersView(NodeView):
    """`auth/providers/`."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation("auth_providers", "The ways to log in", answers={200: ProviderSerializer(many=True)}, errors=())
    def get(self, request: Request) -> Response:
        """List the ways to log in."""
        del request
        return Response(PROVIDERS)
