"""What may be removed of a deployment, and what has to stay for the way back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .model import Image
from .rollout import DeployState, Record

#: So many ways back are kept, and so many records of what came to nothing.
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


def outlived(records: Sequence[Record], *, keep: int = KEEP_DEPLOYMENTS) -> tuple[Record, ...]:
    """Return the deployments of which nothing need be kept any more.

    Those that came to nothing lead to no release: they are counted apart, so that they push out no way back.
    """
    newest = sorted(records, key=lambda record: record.id, reverse=True)
    ways_back = [record for record in newest if record.state is DeployState.DEPLOYED]
    others = [record for record in newest if record.state is not DeployState.DEPLOYED]
    return (*ways_back[keep:], *others[keep:])
