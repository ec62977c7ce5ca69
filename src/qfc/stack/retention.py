"""Which images and records of a deployment can be removed, and which are needed for rollback. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .model import Image
from .rollout import DeployState, Record

#: How many deployments are kept for rollback, and how many records of failed ones.
KEEP_DEPLOYMENTS = 5


@dataclass(frozen=True)
class ImagePlan:
    """Images that are removed, and images that are kept, each with the reason."""

    remove: tuple[Image, ...]
    keep: tuple[tuple[Image, str], ...]


def removable_images(images: Sequence[Image], needed_ids: Collection[str]) -> ImagePlan:
    """Decide which images nothing needs: no service, no container, no deployment that is kept for rollback."""
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
        return "used by a container"
    if image.id in needed_ids:
        return "needed for rollback to an earlier release"
    return None


def outlived(records: Sequence[Record], *, keep: int = KEEP_DEPLOYMENTS) -> tuple[Record, ...]:
    """Return the deployments that no longer need to be kept.

    Failed ones cannot be rolled back to; they are counted separately, and so never displace a good one.
    """
    newest = sorted(records, key=lambda record: record.id, reverse=True)
    deployed = [record for record in newest if record.state is DeployState.DEPLOYED]
    others = [record for record in newest if record.state is not DeployState.DEPLOYED]
    return (*deployed[keep:], *others[keep:])
