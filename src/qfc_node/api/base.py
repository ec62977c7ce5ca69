"""The common base of the API's views."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from ..core import rate_limits
from ..core.models import AuthToken, Organization, Project, User, UserType
from ..core.permissions import Access, Action, find_access, is_member, is_organization_admin
from ..storage.upload import StagedUpload
from .authentication import is_operators
from .errors import (
    EmptyContentError,
    MultipleContentsError,
    ObjectNotFoundError,
    PermissionDeniedError,
    TooManyRequestsError,
)

Fields = dict[str, Any]
Shape = type[serializers.Serializer[Any]]


class AlwaysJson(BaseContentNegotiation):
    """Answers with JSON whatever the client accepts: some clients ask for images, some for nothing."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Return the parser for the body's type."""
        content_type = str(request.META.get("CONTENT_TYPE", ""))
        return next((parser for parser in parsers if _matches(parser.media_type, content_type)), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the only renderer."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type


def _matches(media_type: str, content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == media_type


class NodeView(APIView):
    """A view that knows its caller and reads its input strictly."""

    content_negotiation_class = AlwaysJson  # pyright: ignore[reportAssignmentType]  (the stubs say str)

    @property
    def caller(self) -> User:
        """The user who calls; only in views that require a token."""
        return cast(User, self.request.user)

    @property
    def client_type(self) -> str:
        """The kind of client, from its token."""
        return cast(AuthToken, self.request.auth).client_type

    @property
    def context(self) -> Fields:
        """What serializers need to know about the caller."""
        return {"client_type": self.client_type, "request": self.request}

    def access(self, project_id: UUID, action: Action) -> Access:
        """Return the project and the caller's role. Raises ObjectNotFoundError or PermissionDeniedError."""
        access = find_access(self.caller, project_id)
        if access is None:
            raise ObjectNotFoundError
        if not access.allows(action):
            raise PermissionDeniedError
        return access

    def count_synchronisation(self, project: Project) -> None:
        """Count a request that creates a job of the project. Raises TooManyRequestsError before anything is stored."""
        if is_operators(cast(AuthToken, self.request.auth)):
            return
        try:
            rate_limits.take(project.pk)
        except rate_limits.RateLimitError as error:
            raise TooManyRequestsError(error.wait_s) from error

    def read_body(self, shape: Shape, *, partial: bool = False) -> Fields:
        """Return the checked body. Raises ValidationError."""
        return _validated(shape(data=self.request.data, partial=partial))

    def read_query(self, shape: Shape) -> Fields:
        """Return the checked query; parameters that the shape does not name are ignored. Raises ValidationError."""
        query = self.request.query_params
        wanted = shape().get_fields()
        repeated = [name for name in wanted if len(query.getlist(name)) > 1]
        if repeated:
            raise serializers.ValidationError({repeated[0]: "Must be given only once."})
        return _validated(shape(data={name: query[name] for name in wanted if name in query}))

    def read_file(self, name: str) -> StagedUpload:
        """Return the only file of a multipart body. Raises EmptyContentError or MultipleContentsError."""
        files = self.request.FILES.getlist(name)
        if not files:
            raise EmptyContentError
        if len(files) > 1:
            raise MultipleContentsError
        return cast(StagedUpload, files[0])


def _validated(serializer: serializers.Serializer[Any]) -> Fields:
    serializer.is_valid(raise_exception=True)
    return cast(Fields, serializer.validated_data)


def find_user(username: str, *types: UserType) -> User:
    """Find an active account by name, ignoring case; with `types`, one of these types. Raises ObjectNotFoundError."""
    accounts = User.objects.filter(username__iexact=username, is_active=True)
    user = accounts.filter(type__in=types).first() if types else accounts.first()
    if user is None:
        raise ObjectNotFoundError(f"{username!r}")
    return user


def find_organization(name: str, caller: User, *, as_admin: bool = False) -> Organization:
    """Find an organization that the caller belongs to or, with `as_admin`, administers.

    Raises ObjectNotFoundError or PermissionDeniedError.
    """
    user = find_user(name)
    organization = Organization.objects.filter(pk=user.pk).first()
    if organization is None:
        raise PermissionDeniedError
    allowed = is_organization_admin if as_admin else is_member
    if not allowed(caller, organization):
        raise PermissionDeniedError
    return organization
