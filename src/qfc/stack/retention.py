"""What may be removed of a deployment, and what has to stay for the way back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .model import Image

#: The way back leads to so many of the last releases.
KEEP_DEPLOYMENTS = 5


@dataclass(frozen=True)
class ImagePlan:
    """Images that go, each by the words that remove it, and images that stay with the reason."""

    remove: tuple[Image, ...]
    keep: tuple[tuple[Image, str], ...]


def removable_images(images: Sequence[Image], needed_ids: Collection[str]) -> ImagePlan:
    """Decide which images nothing needs: no service, no container, no deployment of which there is a way back."""
    remove: list[Image] = []
    keep: list[tuple[Image, str]] = []
    for image in images:
        reason = _why_kept(image, needed_ids)
        if reason is None:
            remove.append(image)
        else:
            keep.append((image, reason))
    return ImagePlan(tuple(remove), tuple(keep))


def _why_kept(image: Image, needed_ids: Collection[str]) -> str | None:
    if image.services:
        return f"image of {', '.join(image.services)}"
    if image.in_use:
        return "a container was made of it"
    if image.id in needed_ids:
        return "needed for the way back to an earlier release"
    return None


def outlived(deployments: Sequence[str], *, keep: int = KEEP_DEPLOYMENTS) -> tuple[str, ...]:
    """Return the ids of deployments to which there need be no way back any more. Ids sort by their time."""
    return tuple(sorted(deployments, reverse=True)[keep:])
