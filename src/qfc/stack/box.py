"""What holds the jobs of the workers, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .findings import Finding, Severity, clear, problem
from .model import BoxLayer, Worker

#: Layers that keep a job from the files, processes and network of the server. The others only limit what it uses.
CONFINING = frozenset({"account", "mounts", "landlock", "network", "seccomp"})


def of_box(workers: Iterable[Worker]) -> Finding | None:
    """Judge what holds the jobs of living workers; None where no worker reports it."""
    known = [worker.layers for worker in workers if worker.state != "dead" and worker.layers is not None]
    if not known:
        return None
    told = "; or: ".join(dict.fromkeys(map(described, known)))
    if all(map(is_confined, known)):
        return clear("box", told)
    return problem("box", Severity.WARNING, f"Jobs may do whatever their worker may. Layers: {told}")


def is_confined(layers: Sequence[BoxLayer]) -> bool:
    """Whether at least one layer keeps a job from the rest of the server."""
    return any(layer.state == "used" and layer.name in CONFINING for layer in layers)


def described(layers: Sequence[BoxLayer]) -> str:
    """Return the layers in words: those in use, then the others with the reason."""
    used = [layer.name for layer in layers if layer.state == "used"]
    others = [
        f"{layer.name} {layer.state}" + (f" ({layer.detail})" if layer.detail else "")
        for layer in layers
        if layer.state != "used"
    ]
    return "; ".join([", ".join(used) or "none", *others])
