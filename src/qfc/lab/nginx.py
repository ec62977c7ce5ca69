"""Faults of a deployment's nginx: it passes on too little, or the wrong content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData
from .services import container_of

CONFIGURATION = "/etc/nginx/conf.d/default.conf"
KEPT = "/etc/nginx/qfc-lab.default.conf"
CHANGE = f"""cp {CONFIGURATION} {KEPT} && sed -i "$1" {CONFIGURATION} || exit 1
! cmp -s {CONFIGURATION} {KEPT} || {{ echo "the configuration has no such line" >&2; exit 1; }}"""
PUT_BACK = f"[ ! -f {KEPT} ] || {{ cp {KEPT} {CONFIGURATION} && rm {KEPT}; }}"


@dataclass(frozen=True)
class Changed(Fault):
    """A change to nginx's configuration by a `sed` command. A new container has the original one again."""

    needs: Capability | None = Capability.CONTAINERS
    change: str = ""

    def look(self, ports: Ports) -> UndoData:
        """Return nginx's container. Raises RefusedError where another fault has changed its configuration."""
        container = container_of(ports, "nginx")
        if not ports.host.run(["docker", "exec", container, "test", "-e", KEPT], check=False).exit_code:
            raise RefusedError("Another fault has changed nginx's configuration.", hint="Type: qfc lab mend")
        return {"container": container}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Change the file, and reload nginx."""
        ports.host.run(["docker", "exec", known["container"], "sh", "-c", CHANGE, "sh", self.change])
        ports.deployment.certificates.reload()

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the old file, and reload nginx; a recreated container has the old file anyway."""
        del known
        ports.host.run(["docker", "exec", container_of(ports, "nginx"), "sh", "-c", PUT_BACK])
        ports.deployment.certificates.reload()


@dataclass(frozen=True)
class BrokenFragment(Fault):
    """An added configuration fragment that nginx does not accept: after its next start, it keeps restarting."""

    needs: Capability | None = Capability.CONTAINERS
    text = "location / { return 200; }\n"

    def make(self, ports: Ports, known: UndoData) -> None:
        """Write the fragment without reloading nginx."""
        del known
        ports.host.write_bytes(self._path(ports), self.text.encode())

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove the fragment."""
        del known
        ports.host.run(["rm", "-f", str(self._path(ports))])

    def _path(self, ports: Ports) -> PurePath:
        return ports.deployment.folder / "conf/nginx/config.d/qfc-lab.conf"


FILES_ARE_EMPTY = (
    r"/^  location \/ {/i\  location ~ ^/(storage-download/|api/v1/files/[^/]+/.) { "
    r'if ($request_method = GET) { return 200 ""; } try_files /dev/null @app; }'
)
NGINX: tuple[Fault, ...] = (
    Changed("forwarded-proto-wrong", "Forms are refused: nginx reports http where browsers use https", ("B01",),
            change=r"s/X-Forwarded-Proto \$[a-z_]*/X-Forwarded-Proto http/"),
    Changed("downloads-empty", "Files arrive without their bytes", ("proof",), change=FILES_ARE_EMPTY),
    Changed("static-files-missing", "Style sheets are missing", ("A03",),
            change=r"s/location \/staticfiles\/ {/location \/staticfiles\/ { return 404;/"),
    Changed("api-past-files", "nginx does not pass on the first request of clients", ("G01",),
            change=r"/^  location \/ {/i\  location = /api/v1/auth/providers/ { return 404; }"),
    BrokenFragment("nginx-fragment-broken", "nginx cannot start: a location is defined twice", ("B02-files",)),
)  # fmt: skip
