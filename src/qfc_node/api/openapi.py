"""Describe operations in the OpenAPI document: one decorator, and the scheme of the tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

Method = TypeVar("Method", bound=Callable[..., Any])

#: Errors of every operation that requires a token, of those on a project, and of those that read a body.
CALLER = frozenset({401, 503})
PROJECT = CALLER | {403, 404}
BODY = frozenset({400, 413, 415})

DESCRIPTIONS = {
    400: "The input is not accepted; the message says why.",
    401: "The token is missing or invalid, or the password is wrong.",
    402: "The owner's storage is full.",
    403: "The caller's role or the owner's plan does not allow the request.",
    404: "The object does not exist.",
    409: "The object already exists, or another request changed it at the same time.",
    413: "The body is too large.",
    415: "The type of the body is not supported.",
    416: "The file does not have the requested range.",
    429: "The project is synchronised more often than the operator allows; `Retry-After` says when to try again.",
    503: "The database or the file store cannot be reached; try again later.",
}


class ErrorSerializer(serializers.Serializer[Any]):
    """The answer to every error."""

    code = serializers.CharField(help_text="A code that clients know, for example `permission_denied`.")
    message = serializers.CharField(help_text="The error, in words for users.")


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes `Authorization: Token KEY`."""

    target_class = "qfc_node.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme."""
        del auto_schema
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token KEY`; `auth/login/` returns the key.",
        }


FILE = {(200, "application/octet-stream"): OpenApiResponse(bytes, description="The bytes of the file.")}


def operation(
    name: str,
    summary: str,
    *,
    answers: Mapping[Any, Any],
    errors: Iterable[int] = CALLER,
    request: Any = None,
    parameters: Iterable[Any] = (),
    **options: Any,
) -> Callable[[Method], Method]:
    """Describe an operation: `answers` by status, `errors` as statuses that return the common error object."""
    failures = {code: OpenApiResponse(ErrorSerializer, description=DESCRIPTIONS[code]) for code in sorted(errors)}
    return extend_schema(
        operation_id=name,
        summary=summary,
        request=request,
        parameters=list(parameters),
        responses={**answers, **failures},
        **options,
    )


def path_text(name: str, description: str, max_length: int = 150) -> OpenApiParameter:
    """Describe a text parameter in the path."""
    schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": max_length}
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description, required=True)


FILE_NAME = path_text(
    "filename", "Name of the file, relative to the project, with '/' between folders.", max_length=1000
)
ORGANIZATION = path_text("organization", "Name of an organization.")
MEMBER = path_text("member", "Name of a user.")
USERNAME = path_text("username", "Name of a user or an organization.")


class LoginBodyExtension(OpenApiSerializerExtension):
    """Describes that a login needs a name or an e-mail address."""

    target_class = "qfc_node.api.serializers.accounts.LoginBody"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema of the body."""
        schema: dict[str, Any] = auto_schema._map_serializer(cast(Any, self).target, direction, bypass_extensions=True)
        return {**schema, "anyOf": [{"required": ["username"]}, {"required": ["email"]}]}


def multipart(body: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Describe a body that contains a file."""
    return {"multipart/form-data": body}
