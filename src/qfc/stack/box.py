"""What holds the jobs of the workers, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .findings import Finding, Severity, clear, problem
from .model import BoxLayer, Worker

#: Layers that keep a job from the files of the server: enough of a box, with whatever else there is.
KEEP_FILES = frozenset({"account", "mounts", "landlock"})
#: Layers that keep a job from its processes and network, but not from files.
KEEP_THE_REST = frozenset({"network", "seccomp"})


def of_box(workers: Iterable[Worker]) -> Finding | None:
    """Judge what holds the jobs of living workers; None where no worker reports it."""
    known = [worker.layers for worker in workers if worker.state != "dead" and worker.layers is not None]
    if not known:
        return None
    told = "; or: ".join(dict.fromkeys(map(described, known)))
    used = [in_use(layers) for layers in known]
    if not all(names & (KEEP_FILES | KEEP_THE_REST) for names in used):
        return problem("box", Severity.WARNING, f"Jobs may do whatever their worker may. Layers: {told}")
    if not all(names & KEEP_FILES for names in used):
        return problem("box", Severity.WARNING, f"Jobs may read every file that their worker may. Layers: {told}")
    return clear("box", told)


def in_use(layers: Sequence[BoxLayer]) -> frozenset[str]:
    """Return the names of the layers that hold the jobs."""
    return frozenset(layer.name for layer in layers if layer.state == "used")


def described(layers: Sequence[BoxLayer]) -> str:
    """Return the layers in words: those in use, then the others with the reason."""
    used = [layer.name for layer in layers if layer.state == "used"]
    others = [
        f"{layer.name} {layer.state}" + (f" ({layer.detail})" if layer.detail else "")
        for layer in layers
        if layer.state != "used"
    ]
    return "; ".join([", ".join(used) or "none", *others])
