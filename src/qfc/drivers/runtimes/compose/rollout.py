"""The containers of a deployment during a change of release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....errors import NotFoundError
from ....stack.model import ComposeFacts
from ....stack.ports import Rollout
from ...docker.containers import JOB_LABEL
from .lifecycle import APP, READY_S, WORKER, Lifecycle, one_off_name
from .observer import Observer


class ComposeRollout(Rollout):
    """Changes containers step by step, under the deployment's lock."""

    def __init__(self, observer: Observer, lifecycle: Lifecycle) -> None:
        self._observer, self._lifecycle = observer, lifecycle

    def facts(self, files: Sequence[str] | None = None) -> ComposeFacts:
        if files is None:
            self._observer.forget_plan()
        plan = self._observer.plan(fresh=True) if files is None else self._observer.plan_of(files)
        separator = "_" if self._observer.compose.is_v1 else "-"
        own = f"{self._observer.deployment.project}{separator}"
        return ComposeFacts(
            images={name: one.image or f"{own}{name}" for name, one in plan.services.items()},
            built=tuple(name for name, one in plan.services.items() if one.is_built),
            replicas={name: one.replicas for name, one in plan.services.items()},
            volumes={name: one.volumes for name, one in plan.services.items()},
            needs={name: one.needs for name, one in plan.services.items()},
        )

    def images_in_use(self) -> Mapping[str, tuple[str, str]]:
        seen = self._observer.snapshot(fresh=True)
        return {one.service: (one.image, one.image_id) for one in seen.containers if not one.is_one_off}

    def run(self, argv: Sequence[str], *, timeout_s: float | None = None) -> str:
        return self._lifecycle.run_once(APP, ["python3", "manage.py", *argv], timeout_s=timeout_s)

    def converge(self, *, workers: int | None = None) -> None:
        self._lifecycle.converge(workers=workers)

    def await_ready(self, *, limit_s: float = READY_S, without: Sequence[str] = ()) -> None:
        names = [one.name for one in self._observer.services(fresh=True) if one.name not in without]
        self._lifecycle.await_ready(names, limit_s=limit_s)

    def drain(self) -> None:
        self._lifecycle.drain.stop(self._observer.containers(WORKER, fresh=True))

    def halt(self, services: Sequence[str]) -> None:
        """Stop services at once, with the containers of jobs, and a single command that a killed operation left."""
        engine, project = self._observer.engine, self._observer.deployment.project
        ids = [one.id for name in services for one in self._observer.containers(name, fresh=True) if one.is_running]
        if WORKER in services:
            argv = ["docker", "ps", "-q", "--filter", f"label={JOB_LABEL}", "--filter", f"network={project}_default"]
            ids += engine.query(argv).stdout.split()
        engine.run(["docker", "rm", "--force", one_off_name(project)], check=False, timeout_s=60)
        if ids:
            engine.run(["docker", "kill", *ids], check=False, timeout_s=60)

    def last_words(self, service: str) -> str:
        """Return the end of a service's log, from its container in the worst state."""
        containers = self._observer.containers(service, fresh=True)
        worst = sorted(containers, key=lambda one: one.status == "running")
        if not worst:
            raise NotFoundError(f"{service} has no container.")
        return self._lifecycle.last_words(worst[0].id)
