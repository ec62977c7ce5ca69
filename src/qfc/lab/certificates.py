"""Faults of the certificate that nginx serves: expired, for another name, without its key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData

#: The path of the deployment's folder `conf/nginx/certs` inside nginx.
SEEN = PurePath("/etc/nginx/certs")
CERTIFICATE, KEY = "QFIELDCLOUD_TLS_CERT", "QFIELDCLOUD_TLS_KEY"
KEPT = ".qfc-lab"


@dataclass(frozen=True)
class ServedCertificate(Fault):
    """A wrong certificate: its validity begins and ends `days` from now; `host` is its name, where that is wrong.

    Without `with_key`, only the certificate is replaced. Both old files are kept next to the new ones.
    """

    needs: Capability | None = Capability.CONTAINERS
    days: tuple[int, int] = (-1, 90)
    host: str = ""
    with_key: bool = True
    serve: bool = True

    def look(self, ports: Ports) -> UndoData:
        """Return the paths of the files on the host. Raises RefusedError where they are outside the deployment."""
        values = ports.deployment.settings.values()
        paths = [PurePath(values.get(name, "")) for name in (CERTIFICATE, KEY)]
        if any(path.parent != SEEN for path in paths):
            raise RefusedError("The lab leaves the certificate alone: it is not in conf/nginx/certs.")
        folder = ports.deployment.folder / "conf/nginx/certs"
        return {"certificate": str(folder / paths[0].name), "key": str(folder / paths[1].name)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Keep the old files, write new ones, reload nginx."""
        host = self.host or ports.deployment.settings.values().get("QFIELDCLOUD_HOST", "localhost")
        certificate, key = ports.deployment.certificates.self_signed(host, ports.clock.now(), self.days)
        for path in (known["certificate"], known["key"]):
            ports.host.run(["cp", "-np", path, path + KEPT])
        ports.host.write_bytes(PurePath(known["certificate"]), certificate)
        if self.with_key:
            ports.host.write_bytes(PurePath(known["key"]), key, mode=0o600)
        if self.serve:
            ports.deployment.certificates.reload()

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the old files, reload nginx."""
        script = f'for path; do [ ! -f "$path{KEPT}" ] || mv "$path{KEPT}" "$path"; done'
        ports.host.run(["sh", "-c", script, "sh", known["certificate"], known["key"]])
        ports.deployment.certificates.reload()


@dataclass(frozen=True)
class MissingCertificate(ServedCertificate):
    """Certificate and key are missing: nginx cannot start again."""

    def make(self, ports: Ports, known: UndoData) -> None:
        """Move the files away."""
        for path in (known["certificate"], known["key"]):
            ports.host.run(["mv", "-n", path, path + KEPT])


CERTIFICATES: tuple[Fault, ...] = (
    ServedCertificate("certificate-expired", "The certificate has expired", ("B09-expired",), days=(-90, -1)),
    ServedCertificate("certificate-of-another-name", "The certificate is for another name", ("B18-name",),
                      host="elsewhere.example.org"),
    ServedCertificate("certificate-without-its-key", "The private key does not match the certificate", ("B18-key",),
                      with_key=False, serve=False),
    ServedCertificate("certificate-not-served", "nginx still serves the old certificate", ("B10",), serve=False),
    MissingCertificate("certificate-missing", "The certificate is missing", ("B18",)),
)  # fmt: skip
