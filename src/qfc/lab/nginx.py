"""The door of a deployment: nginx hands on too little, or something else."""

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
! cmp -s {CONFIGURATION} {KEPT} || {{ echo "nothing of it is in the configuration" >&2; exit 1; }}"""
PUT_BACK = f"[ ! -f {KEPT} ] || {{ cp {KEPT} {CONFIGURATION} && rm {KEPT}; }}"


@dataclass(frozen=True)
class Changed(Fault):
    """The configuration that nginx runs with, changed by a `sed` command. A new container has the right one again."""

    needs: Capability | None = Capability.CONTAINERS
    change: str = ""

    def look(self, ports: Ports) -> UndoData:
        """Find nginx. Raises RefusedError where its configuration is broken by another fault."""
        container = container_of(ports, "nginx")
        if not ports.host.run(["docker", "exec", container, "test", "-e", KEPT], check=False).exit_code:
            raise RefusedError("nginx's configuration is broken already.", hint="Type: qfc lab mend")
        return {"container": container}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Change the file, and let nginx read it."""
        ports.host.run(["docker", "exec", known["container"], "sh", "-c", CHANGE, "sh", self.change])
        ports.deployment.certificates.reload()

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Put the old file back; a container that was made anew has it."""
        del known
        ports.host.run(["docker", "exec", container_of(ports, "nginx"), "sh", "-c", PUT_BACK])
        ports.deployment.certificates.reload()


@dataclass(frozen=True)
class BrokenFragment(Fault):
    """A fragment of somebody's own that nginx does not accept: with the next start it ends again and again."""

    needs: Capability | None = Capability.CONTAINERS
    text = "location / { return 200; }\n"

    def make(self, ports: Ports, known: UndoData) -> None:
        """Write it; nginx is not told."""
        del known
        ports.host.write_bytes(self._path(ports), self.text.encode())

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Remove it."""
        del known
        ports.host.run(["rm", "-f", str(self._path(ports))])

    def _path(self, ports: Ports) -> PurePath:
        return ports.deployment.folder / "conf/nginx/config.d/qfc-lab.conf"


FILES_ARE_EMPTY = (
    r"/^  location \/ {/i\  location ~ ^/(storage-download/|api/v1/files/[^/]+/.) { "
    r'if ($request_method = GET) { return 200 ""; } try_files /dev/null @app; }'
)
NGINX: tuple[Fault, ...] = (
    Changed("forwarded-proto-wrong", "Forms are refused: nginx says http where people type https", ("B01",),
            change=r"s/X-Forwarded-Proto \$[a-z_]*/X-Forwarded-Proto http/"),
    Changed("downloads-empty", "Files arrive without their bytes", ("proof",), change=FILES_ARE_EMPTY),
    Changed("static-files-missing", "Pages come without their style sheets", ("A03",),
            change=r"s/location \/staticfiles\/ {/location \/staticfiles\/ { return 404;/"),
    Changed("api-past-files", "nginx does not hand on what clients ask first", ("G01",),
            change=r"/^  location \/ {/i\  location = /api/v1/auth/providers/ { return 404; }"),
    BrokenFragment("nginx-fragment-broken", "nginx does not start any more: a location is there twice", ("B02-files",)),
)  # fmt: skip
