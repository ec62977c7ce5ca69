"""What nginx shows to clients: certificates that are over, of another name, without their key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from ..errors import RefusedError
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData

#: Where nginx sees the folder `conf/nginx/certs` of the deployment.
SEEN = PurePath("/etc/nginx/certs")
CERTIFICATE, KEY = "QFIELDCLOUD_TLS_CERT", "QFIELDCLOUD_TLS_KEY"
KEPT = ".qfc-lab"


@dataclass(frozen=True)
class ServedCertificate(Fault):
    """Another certificate than the right one: its `days` begin and end so far from now, for another `host`.

    Without `with_key` only the certificate is another one. Both old files stay beside the new ones.
    """

    needs: Capability | None = Capability.CONTAINERS
    days: tuple[int, int] = (-1, 90)
    host: str = ""
    with_key: bool = True
    serve: bool = True

    def look(self, ports: Ports) -> UndoData:
        """Find the files on the host. Raises RefusedError where they are not in the deployment's own folder."""
        values = ports.deployment.settings.values()
        paths = [PurePath(values.get(name, "")) for name in (CERTIFICATE, KEY)]
        if any(path.parent != SEEN for path in paths):
            raise RefusedError("The certificate is not in conf/nginx/certs: it is left alone.")
        folder = ports.deployment.folder / "conf/nginx/certs"
        return {"certificate": str(folder / paths[0].name), "key": str(folder / paths[1].name)}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Keep the files, write others, let nginx read them."""
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
        """Put the files back, let nginx read them."""
        script = f'for path; do [ ! -f "$path{KEPT}" ] || mv "$path{KEPT}" "$path"; done'
        ports.host.run(["sh", "-c", script, "sh", known["certificate"], known["key"]])
        ports.deployment.certificates.reload()


@dataclass(frozen=True)
class MissingCertificate(ServedCertificate):
    """There is neither certificate nor key: the next start of nginx will be its last."""

    def make(self, ports: Ports, known: UndoData) -> None:
        """Put the files aside."""
        for path in (known["certificate"], known["key"]):
            ports.host.run(["mv", "-n", path, path + KEPT])


CERTIFICATES: tuple[Fault, ...] = (
    ServedCertificate("certificate-expired", "The certificate is over", ("B09-expired",), days=(-90, -1)),
    ServedCertificate("certificate-of-another-name", "The certificate is for another name", ("B18-name",),
                      host="elsewhere.example.org"),
    ServedCertificate("certificate-without-its-key", "The private key is not the certificate's", ("B18-key",),
                      with_key=False, serve=False),
    ServedCertificate("certificate-not-served", "A new certificate lies there, and nginx shows the old one", ("B10",),
                      serve=False),
    MissingCertificate("certificate-missing", "There is no certificate", ("B18",)),
)  # fmt: skip
