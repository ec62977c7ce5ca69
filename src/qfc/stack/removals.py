"""What a change of the Compose files would take away, and why that may not happen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .model import ComposeFacts

#: Services that hold what people have stored, wherever they keep it.
DATA_SERVICES = frozenset({"db", "geodb", "minio", "rustfs", "webdav"})
#: Services without which nothing works.
NEEDED_SERVICES = frozenset({"app", "nginx", "worker_wrapper", "memcached"})


@dataclass(frozen=True)
class Removal:
    """A service that would no longer be defined, and what speaks against that."""

    service: str
    holds_data: bool
    needed_by: tuple[str, ...]

    @property
    def is_harmless(self) -> bool:
        """Whether it may go."""
        return not self.holds_data and not self.needed_by


def removals(now: ComposeFacts, then: ComposeFacts) -> tuple[Removal, ...]:
    """Return the services that the files define now, and would not define then."""
    return tuple(_removal(name, now, then) for name in sorted(now.images.keys() - then.images.keys()))


def refusal(gone: tuple[Removal, ...]) -> str | None:
    """Return why these services may not go; None where they may."""
    data = [one.service for one in gone if one.holds_data]
    needed = [f"{one.service} (by {', '.join(one.needed_by)})" for one in gone if one.needed_by and not one.holds_data]
    reasons = [f"hold data: {', '.join(data)}"] if data else []
    reasons += [f"are needed: {', '.join(needed)}"] if needed else []
    return f"It would remove services that {' and that '.join(reasons)}." if reasons else None


def _removal(name: str, now: ComposeFacts, then: ComposeFacts) -> Removal:
    needed_by = [one for one in sorted(then.images) if name in now.needs.get(one, ())]
    if name in NEEDED_SERVICES and not needed_by:
        needed_by = ["the application"]
    return Removal(name, name in DATA_SERVICES or bool(now.volumes.get(name)), tuple(needed_by))
