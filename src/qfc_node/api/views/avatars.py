"""Pictures of users and organizations."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ...core import avatars, thumbnails
from ...core.models import Organization, User, UserType
from ...core.permissions import is_organization_admin
from ..base import NodeView, find_user
from ..errors import ObjectNotFoundError, PermissionDeniedError
from ..openapi import BODY, CALLER, USERNAME, multipart, operation, path_text
from ..serializers.files import AvatarBody

PICTURE = {(200, "image/png"): OpenApiResponse(bytes, description="The picture.")}
PUBLIC_ID = path_text("public_id", "Name of the picture, from `avatar_url`.")
FILENAME = path_text("filename", "Anything: clients read the format from its end.")


class AvatarView(NodeView):
    """`files/avatars/<public id>/`. Apps ask without a token."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation("files_avatar", "The picture of an account", parameters=[PUBLIC_ID], answers=PICTURE, errors={404})
    def get(self, request: Request, public_id: str) -> HttpResponseBase:
        """Send the picture."""
        del request
        return _send(public_id)


class NamedAvatarView(NodeView):
    """`files/avatars/<public id>/<name>`: the same, for clients that read the format from the name."""

    permission_classes: ClassVar = [AllowAny]
    authentication_classes: ClassVar = []

    @operation(
        "files_named_avatar",
        "The picture of an account; the name is ignored",
        parameters=[PUBLIC_ID, FILENAME],
        answers=PICTURE,
        errors={404},
    )
    def get(self, request: Request, public_id: str, filename: str) -> HttpResponseBase:
        """Send the picture."""
        del request, filename
        return _send(public_id)


def _send(public_id: str) -> HttpResponseBase:
    picture = avatars.find(public_id)
    if picture is None:
        raise ObjectNotFoundError("there is no such picture")
    return HttpResponse(picture, content_type="image/png")


class AccountAvatarView(NodeView):
    """`users/<name>/avatar/`."""

    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    @operation(
        "users_avatar_set",
        "Set the picture of the caller's account, or of an organization that the caller administers",
        parameters=[USERNAME],
        request=multipart(AvatarBody),
        answers={204: None},
        errors=CALLER | BODY | {403, 404},
    )
    def put(self, request: Request, username: str) -> Response:
        """Store the picture."""
        del request
        account = self._own(username)
        avatars.replace(account, thumbnails.picture_from(self.read_file("avatar").staged.path, avatars.SIDE))
        return Response(status=204)

    @operation(
        "users_avatar_remove",
        "Remove the picture",
        parameters=[USERNAME],
        answers={204: None},
        errors=CALLER | {403, 404},
    )
    def delete(self, request: Request, username: str) -> Response:
        """Remove the picture."""
        del request
        avatars.remove(self._own(username))
        return Response(status=204)

    def _own(self, username: str) -> User:
        account = find_user(username, UserType.PERSON, UserType.ORGANIZATION)
        organization = Organization.objects.filter(pk=account.pk).first()
        is_own = account.pk == self.caller.pk or self.caller.is_superuser
        if not (is_own or (organization and is_organization_admin(self.caller, organization))):
            raise PermissionDeniedError
        return account
