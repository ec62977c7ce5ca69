"""Remove what a deployment no longer needs: images that no rollback uses, stopped containers. Nothing of others."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.deploy_records import past, under_way
from ..stack.model import Image
from ..stack.ports import Ports
from ..stack.retention import KEEP_DEPLOYMENTS, outlived, removable_images
from ..stack.rollout import DeployState, needed_images
from .deploy.journal import forget_old
from .guard import Options, guarded


@dataclass(frozen=True)
class PrunedImage:
    """An image to remove, or removed. `bytes` is what it alone uses, None if the engine does not report it."""

    id: str
    names: tuple[str, ...]
    bytes: int | None


@dataclass(frozen=True)
class KeptImage:
    """An image that is kept, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Pruned:
    """What is removed. `freed_bytes` is an estimate of the engine: layers shared with other images stay."""

    images: tuple[PrunedImage, ...]
    containers: tuple[str, ...]
    deployments: tuple[str, ...]
    kept: tuple[KeptImage, ...]
    freed_bytes: int
    dry_run: bool


def services_prune(ports: Ports, options: Options, *, keep: int = KEEP_DEPLOYMENTS) -> Pruned:
    """Remove what the deployment no longer needs; the last `keep` deployments can still be rolled back."""
    deployment = ports.deployment
    records = past(ports.records)
    obsolete = outlived(records, keep=keep)
    current = under_way(ports.records)
    kept_deployments = [one for one in records if one not in obsolete and one.state is DeployState.DEPLOYED]
    needed = needed_images([*kept_deployments, *([current] if current else [])])
    plan = removable_images(deployment.images.all(), needed)
    unique = deployment.images.unique_bytes()
    leftovers = deployment.images.remove_leftovers(dry_run=True)
    freed = sum(unique.get(image.id, 0) for image in plan.remove) + sum(size for _, size in leftovers)
    images = tuple(PrunedImage(one.id, one.names, unique.get(one.id)) for one in plan.remove)
    old = tuple(record.id for record in obsolete)
    kept = tuple(KeptImage(image.name, reason) for image, reason in plan.keep)
    if not images and not leftovers and not old:
        return Pruned((), (), (), kept, 0, options.dry_run)
    what = (
        f"{len(images)} images, {len(leftovers)} stopped containers, {len(old)} old dumps: about {freed / 1e6:.0f} MB"
    )
    with guarded(
        ports, "services prune", target=ports.name, options=options, question=f"Remove {what}?", of_moved=True
    ) as guard:
        if guard.step(f"Remove {what}"):
            deployment.images.remove_leftovers(dry_run=False)
            for image in plan.remove:
                deployment.images.remove(_references(image))
            forget_old(ports.records, keep=keep)
        guard.result = f"removed {what}"
    return Pruned(images, tuple(name for name, _ in leftovers), old, kept, freed, guard.dry_run)


def _references(image: Image) -> tuple[str, ...]:
    """Return the references to remove an image by: all its names, or its id if it has none."""
    return image.names or (image.id,)
