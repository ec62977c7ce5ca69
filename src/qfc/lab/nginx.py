"""Faults of a deployment's nginx: it passes on too little, or the wrong content."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData
from .services import container_of

FOLDER = "/etc/nginx"
#: The locations are in the second file since v26.8, where both servers include it.
FIND = f"""for file in {FOLDER}/conf.d/includes/qfieldcloud.conf {FOLDER}/conf.d/default.conf; do
    if grep -qs "location / {{" "$file"; then break; fi
done"""
KEPT = f"{FOLDER}/qfc-lab.default.conf"
# The arguments are pairs: a pattern, and the `sed` command for a file that contains it.
CHANGE = f"""{FIND}
cp "$file" {KEPT} || exit 1
while [ $# -gt 1 ]; do
    if grep -q "$1" "$file"; then sed -i "$2" "$file" || exit 1; break; fi
    shift 2
done
! cmp -s "$file" {KEPT} || {{ rm {KEPT}; echo "the configuration has no such line" >&2; exit 1; }}"""
PUT_BACK = f"""{FIND}
[ ! -f {KEPT} ] || {{ cp {KEPT} "$file" && rm {KEPT}; }}"""


@dataclass(frozen=True)
class Changed(Fault):
    """A change to nginx's configuration: the first of pairs of a pattern and a `sed` command of which the file has the
    pattern. A new container has the original one again.
    """

    needs: Capability | None = Capability.CONTAINERS
    changes: tuple[tuple[str, str], ...] = ()

    def look(self, ports: Ports) -> UndoData:
        """Return nginx's container. Raises RefusedError where another fault has changed its configuration."""
        container = container_of(ports, "nginx")
        if not ports.host.run(["docker", "exec", container, "test", "-e", KEPT], check=False).exit_code:
            raise RefusedError("Another fault has changed nginx's configuration.", hint="Type: qfc lab mend")
        return {"container": container}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Change the file, and reload nginx."""
        ports.host.run(["docker", "exec", known["container"], "sh", "-c", CHANGE, "sh", *chain(*self.changes)])
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


ROOT = "location / {"
FILES_ARE_EMPTY = (
    r"/^ *location \/ {/i\  location ~ ^/(storage-download/|api/v1/files/[^/]+/.) { "
    r'if ($request_method = GET) { return 200 ""; } try_files /dev/null @app; }'
)
# Official releases serve all files from there; `^~ /api/` comes before expressions.
DOWNLOADS_ARE_EMPTY = r'/^ *location \/ {/i\  location ~ ^/storage-download/ { return 200 ""; }'
NGINX: tuple[Fault, ...] = (
    Changed("forwarded-proto-wrong", "Forms are refused: nginx reports http where browsers use https", ("B01",),
            changes=(("X-Forwarded-Proto", r"s/X-Forwarded-Proto \$[a-z_]*/X-Forwarded-Proto http/"),)),
    Changed("downloads-empty", "Files arrive without their bytes", ("proof",),
            changes=(("location @app", FILES_ARE_EMPTY), (ROOT, DOWNLOADS_ARE_EMPTY))),
    Changed("static-files-missing", "Style sheets are missing", ("A03",),
            changes=(("location /staticfiles/", r"s/location \/staticfiles\/ {/& return 404;/"),
                     (ROOT, r"/^ *location \/ {/i\  location /staticfiles/ { return 404; }"))),
    Changed("api-past-files", "nginx does not pass on the first request of clients", ("G01",),
            changes=((ROOT, r"/^ *location \/ {/i\  location = /api/v1/auth/providers/ { return 404; }"),)),
    BrokenFragment("nginx-fragment-broken", "nginx cannot start: a location is defined twice", ("B02-files",)),
)  # fmt: skip
