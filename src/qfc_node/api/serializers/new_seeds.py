"""The seed of a new project, as clients send it: an object, or its JSON as a text beside a form."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field  # pyright: ignore[reportUnknownVariableType]  (partly untyped)
from rest_framework import serializers
from rest_framework.serializers import ValidationError

from ..fields import Choice, Exact, Text

STYLES = [(name, name) for name in ("standard", "grayscale_light", "grayscale_dark")]
PROVIDERS = [(name, name) for name in ("none", "osm", "custom")]
_LIMITS = (180, 90, 180, 90)


class ExtentText(Text):
    """An extent in degrees: `xmin,ymin,xmax,ymax`."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the four numbers."""
        text = super().to_internal_value(data)
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) != len(_LIMITS):
            raise ValidationError("must be four numbers: xmin,ymin,xmax,ymax")
        if not all(abs(number) <= limit for number, limit in zip(numbers, _LIMITS, strict=True)):
            raise ValidationError("must be in degrees of WGS 84")
        if numbers[0] >= numbers[2] or numbers[1] >= numbers[3]:
            raise ValidationError("the first two numbers must be smaller than the last two")
        return numbers


class NewSeed(serializers.Serializer[Any]):
    """What a new project is made of: a base map and the first view."""

    basemap_provider = Choice(PROVIDERS, required=False, default="none")
    basemap_style = Choice(STYLES, required=False, default="standard")
    basemap_url = Text(required=False, default="", allow_blank=True, max_length=2000)
    extent = ExtentText(required=False, help_text="In degrees: xmin,ymin,xmax,ymax; without it, the world.")

    def validate(self, attrs: Any) -> Any:
        """Check that own tiles have an address of the web."""
        if attrs["basemap_provider"] == "custom" and not attrs["basemap_url"].startswith(("https://", "http://")):
            raise ValidationError({"basemap_url": "a custom base map needs an address of the web, such as https://…"})
        return attrs


@extend_schema_field(NewSeed)
class SeedField(Exact, serializers.Field[Any, Any, Any, Any]):
    """A seed."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the checked seed."""
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise ValidationError("must be an object of JSON") from error
        seed = NewSeed(data=data)
        seed.is_valid(raise_exception=True)
        found: dict[str, Any] = seed.validated_data
        return found

    def to_representation(self, value: Any) -> Any:
        """Return the seed."""
        return value
