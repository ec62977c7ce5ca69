"""What a deployment should run: its services, as Compose derives them from files and `.env`.

The plan is stored on this machine between calls, without environments, and derived again when a file changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from ....files import replace_file

#: Services that do their work once and end. `mkcert` and `qgis` do so in some releases and keep running in others.
TASKS = frozenset({"createbuckets", "mirror_transformation_grids", "qgis", "qgis3", "qgis4", "mkcert"})
#: Services that run as long as the deployment does, whatever their restart policy in a release.
LASTING = frozenset(
    {"app", "nginx", "worker_wrapper", "memcached", "db", "geodb", "minio", "rustfs", "webdav", "ofelia", "certbot",
     "smtp4dev"}
)  # fmt: skip
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?")


@dataclass(frozen=True)
class ServicePlan:
    """A service as it should be. `image` is empty if Compose chooses the name of the image that it builds."""

    name: str
    image: str
    replicas: int
    restart: str
    is_built: bool
    stop_grace_s: float | None = None
    ports: tuple[tuple[int, int], ...] = ()
    #: Its named volumes, and the services that it depends on.
    volumes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def is_task(self) -> bool:
        """Whether it does its work once and ends."""
        return self.name in TASKS or (self.name not in LASTING and self.restart in ("", "no"))


@dataclass(frozen=True)
class ComposePlan:
    """All services. `environment`, by service, contains secrets: only a fresh plan has it, and it is never stored."""

    services: Mapping[str, ServicePlan]
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]], repr=False)
    version: str = ""

    @property
    def workers(self) -> int:
        """The intended number of workers."""
        plan = self.services.get("worker_wrapper")
        return plan.replicas if plan else 0


def read_config(printed: str, *, version: str) -> ComposePlan:
    """Read the output of `compose config`, JSON or YAML."""
    document: dict[str, Any] = json.loads(printed) if printed.lstrip().startswith("{") else _yaml(printed)
    services = cast("dict[str, dict[str, Any]]", document.get("services") or {})
    return ComposePlan(
        {name: _service(name, service) for name, service in services.items()},
        {name: _environment(service.get("environment")) for name, service in services.items()},
        version,
    )


def _yaml(text: str) -> dict[str, Any]:
    import yaml  # only v1 needs it

    return cast("dict[str, Any]", yaml.safe_load(text))


def _service(name: str, service: Mapping[str, Any]) -> ServicePlan:
    deploy = cast("dict[str, Any]", service.get("deploy") or {})
    return ServicePlan(
        name=name,
        image=str(service.get("image") or ""),
        replicas=int(next((one for one in (service.get("scale"), deploy.get("replicas")) if one is not None), 1)),
        restart=str(service.get("restart") or ""),
        is_built="build" in service,
        stop_grace_s=seconds(service.get("stop_grace_period")),
        ports=tuple(_ports(service.get("ports") or [])),
        volumes=tuple(_volumes(service.get("volumes") or [])),
        needs=tuple(service.get("depends_on") or ()),
    )


def seconds(text: object) -> float | None:
    """Read a duration in Compose's notation: 15m0s, 1m, 30s. None for anything else."""
    found = _DURATION.fullmatch(str(text or ""))
    if not found or not any(found.groups()):
        return None
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def _ports(ports: list[Any]) -> list[tuple[int, int]]:
    """Return (port of the container, port of the host); ranges and random ports are left out."""
    found: list[tuple[int, int]] = []
    for port in ports:
        if isinstance(port, dict):
            spoken = cast("dict[str, Any]", port)
            inner, outer = str(spoken.get("target")), str(spoken.get("published"))
        else:
            *_, outer, inner = ("", *str(port).partition("/")[0].split(":"))
        if inner.isdigit() and outer.isdigit():
            found.append((int(inner), int(outer)))
    return found


def _volumes(volumes: list[Any]) -> list[str]:
    """Return the names of volumes; mounted folders of the host are left out."""
    found: list[str] = []
    for volume in volumes:
        if isinstance(volume, dict):
            spoken = cast("dict[str, Any]", volume)
            source = str(spoken.get("source") or "") if spoken.get("type") == "volume" else ""
        else:
            source = str(volume).partition(":")[0] if ":" in str(volume) else ""
        if source and not source.startswith(("/", ".", "~")):
            found.append(source)
    return found


def _environment(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return {name: "" if one is None else str(one) for name, one in pairs}
    lines = cast("list[str]", value or [])
    return {name: rest for name, _, rest in (line.partition("=") for line in lines)}


class PlanStore:
    """Stores a plan with the checksums of the files that it was derived from."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, files: Mapping[str, str]) -> ComposePlan | None:
        """Return the plan of exactly these files; None without one, or without checksums to compare."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if files and document["files"] == dict(files):
                return ComposePlan(
                    {one["name"]: _recalled(one) for one in document["services"]}, version=document["version"]
                )
        return None

    def remember(self, plan: ComposePlan, files: Mapping[str, str]) -> None:
        """Store a plan, without environments. One that cannot be stored is derived again."""
        document = {
            "files": dict(files),
            "version": plan.version,
            "services": [asdict(one) for one in plan.services.values()],
        }
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, json.dumps(document).encode(), mode=0o600)


def _recalled(document: dict[str, Any]) -> ServicePlan:
    ports = tuple((int(inner), int(outer)) for inner, outer in document.pop("ports"))
    volumes, needs = tuple(document.pop("volumes", ())), tuple(document.pop("needs", ()))
    return ServicePlan(**document, ports=ports, volumes=volumes, needs=needs)
