"""Fields that accept exactly what the OpenAPI document says, in JSON and in forms."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field  # pyright: ignore[reportUnknownVariableType]  (partly untyped)
from rest_framework import serializers
from rest_framework.fields import empty  # pyright: ignore[reportUnknownVariableType]  (a sentinel)

from ..core.json_text import is_storable

UUID_PATTERN = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_NUL = RegexValidator(r"^[^\x00]*$", "A NUL character cannot be stored.")
#: The largest `integer` of PostgreSQL, more than the length of any list.
MAX_INTEGER = 2**31 - 1
#: The largest number that every JSON reader and database can store.
MAX_NUMBER = 1.7976931348623157e308
FLAGS: dict[Any, bool] = {"1": True, "true": True, "True": True, "0": False, "false": False, "False": False}


class Exact:
    """Reads a form as it is: the framework would treat an empty text as missing."""

    field_name: str | None

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        """Return the value of the field in the body."""
        return dictionary.get(self.field_name or "", empty)


class Text(Exact, serializers.CharField):
    """A text, not a number or boolean of JSON. NUL and lone surrogates are refused, because no database stores them."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"trim_whitespace": False, "max_length": 255, "validators": [NO_NUL], **options}
        super().__init__(**merged)

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Pattern(Exact, serializers.RegexField):
    """A text that matches a pattern."""

    def __init__(self, pattern: str, **options: Any) -> None:
        merged: dict[str, Any] = {"trim_whitespace": False, "max_length": 255, **options}
        super().__init__(pattern, **merged)

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Email(Exact, serializers.EmailField):
    """An e-mail address."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"max_length": 254, "trim_whitespace": False, **options}
        super().__init__(**merged)

    def to_internal_value(self, data: Any) -> str:
        """Return the address."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(Exact, serializers.ChoiceField):
    """One of a few texts."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the choice."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Uuid(Exact, serializers.UUIDField):
    """A UUID in its canonical form."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """Return the UUID."""
        if not isinstance(data, str) or not UUID_PATTERN.fullmatch(data):
            self.fail("invalid", value=data)
        return uuid.UUID(data)


@extend_schema_field(
    {"oneOf": [{"type": "boolean"}, {"type": "integer", "enum": [0, 1]}, {"type": "string", "enum": [*FLAGS]}]}
)
class Flag(Exact, serializers.Field[bool, Any, bool, Any]):
    """A boolean: true or false of JSON, 0 or 1, or their texts in forms."""

    default_error_messages = {"invalid": "Must be true or false (0 or 1 in forms)."}

    def to_internal_value(self, data: Any) -> bool:
        """Return the boolean."""
        if isinstance(data, bool) or (isinstance(data, int) and data in (0, 1)):
            return bool(data)
        if not isinstance(data, str) or data not in FLAGS:
            self.fail("invalid")
        return FLAGS[data]

    def to_representation(self, value: bool) -> bool:
        """Return the boolean."""
        return value


class Whole(Exact, serializers.IntegerField):
    """A whole number in a query, at least zero or `min_value`."""

    def __init__(self, **options: Any) -> None:
        merged: dict[str, Any] = {"min_value": 0, "max_value": MAX_INTEGER, **options}
        super().__init__(**merged)

    def to_internal_value(self, data: Any) -> int:
        """Return the number; only digits are accepted."""
        if not isinstance(data, str) or not (data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "number"})
class Number(serializers.Field[float, Any, float, Any]):
    """A finite number of JSON."""

    default_error_messages = {"invalid": "Must be a number."}

    def to_internal_value(self, data: Any) -> float:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | float) or abs(data) > MAX_NUMBER:
            self.fail("invalid")
        return float(data)

    def to_representation(self, value: float) -> float:
        """Return the number."""
        return value


@extend_schema_field({})
class AnyValue(Exact, serializers.Field[Any, Any, Any, Any]):
    """Anything: what clients send and the node refuses with a reason of its own."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Return the value."""
        return value


@extend_schema_field({"type": "object", "additionalProperties": True})
class AnyObject(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object that the database can store: without NUL and lone surrogates."""

    default_error_messages = {"invalid": "Must be an object.", "text": "Contains a character that cannot be stored."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object."""
        if not isinstance(data, dict):
            self.fail("invalid")
        if not is_storable(data):
            self.fail("text")
        return cast(dict[str, Any], data)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object."""
        return value
