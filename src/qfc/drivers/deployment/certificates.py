"""The TLS certificate of a deployment: served, on its disk, renewed by its certbot."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from ...errors import CommandError, NotFoundError, QfcError, RefusedError, UnreachableError
from ...stack.model import Certificate, CommandResult
from ...stack.ports import Certificates, Clock
from ..docker.containers import Container
from ..docker.engine import Engine
from ..routes.address import Place
from .nginx import reload_nginx
from .self_signed import self_signed

CERTBOT = "certbot"
LOOK_S = 10
#: Issuing takes as long as the challenges of the certificate authority.
RENEW_S = 900
CERTIFICATE, KEY = "QFIELDCLOUD_TLS_CERT", "QFIELDCLOUD_TLS_KEY"


class DeploymentCertificates(Certificates):
    """The certificate of one deployment. `nginx` and `certbot` return their current containers.

    nginx does not always run: it cannot start without the files.

    `doors` returns the name that clients use with the places that serve it, as reached from here, the outermost first.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        nginx: Callable[[], Container],
        certbot: Callable[[], Container],
        doors: Callable[[], list[tuple[str, Place]]],
    ) -> None:
        self._engine, self._clock, self._nginx, self._certbot, self._doors = engine, clock, nginx, certbot, doors

    def served(self) -> Certificate:
        last: QfcError = UnreachableError("No service serves a certificate.", hint="Type: qfc status")
        for name, place in self._doors():
            try:
                return served_at(name, place)
            except QfcError as error:
                last = error
        raise last

    def on_disk(self) -> tuple[str, Certificate]:
        path, text = self._file(CERTIFICATE)
        try:
            return path, from_pem(text)
        except ValueError as error:
            raise NotFoundError(f"{path} in nginx contains no certificate.", hint="Type: qfc certs renew") from error

    def key_fits(self) -> bool:
        """Return whether the private key next to the file matches the certificate. The key itself stays on the host."""
        path, text = self._file(CERTIFICATE)
        of_key = self._look(KEY, 'openssl pkey -in "$1" -pubout 2>/dev/null').stdout.strip()
        of_certificate = public_key(text)
        if not of_key:
            raise NotFoundError(
                f"The private key of {path} cannot be read in nginx.", hint="Check QFIELDCLOUD_TLS_KEY in .env."
            )
        return of_key == of_certificate

    def renew(self, *, force: bool = False) -> str:
        try:
            container = self._certbot()
        except NotFoundError as error:
            raise RefusedError(
                "This deployment has no running certbot.",
                hint="Renew the certificate by your own means, then type: qfc certs renew --reload-only",
            ) from error
        words = ["certbot", "renew", "--non-interactive", "--no-random-sleep-on-renew"]
        argv = ["docker", "exec", container.id, *words, *(["--force-renewal"] if force else [])]
        done = self._engine.run(argv, timeout_s=RENEW_S, check=False)
        said = f"{done.stdout}\n{done.stderr}".strip()
        if done.exit_code:
            raise CommandError(
                f"certbot could not renew: {failure_line(said)}",
                hint="Check that port 80 can be reached from outside.",
                said=said,
            )
        return said

    def reload(self) -> None:
        container = self._nginx()
        if not container.is_running:
            raise NotFoundError("nginx does not run.", hint="Type: qfc services restart --service nginx")
        reload_nginx(self._engine, self._clock, container)

    def self_signed(self, host: str, now: datetime, days: tuple[int, int]) -> tuple[bytes, bytes]:
        return self_signed(host, now, days)

    def store(self, certificate: bytes, key: bytes) -> None:
        container = self._nginx()
        paths = {name: _on_host(container, _path(container, name)) for name in (CERTIFICATE, KEY)}
        there = [str(path) for path in paths.values() if self._exists(path)]
        if there:
            raise RefusedError(f"{there[0]} exists already and is not overwritten.", hint="Type: qfc certs status")
        if any(is_certbots(path) for path in paths.values()):
            raise RefusedError(
                f"{paths[CERTIFICATE]} is written by certbot, which issues no certificate where other files exist.",
                hint="Type: qfc certs renew --force; or issue the first one as the release's documentation describes",
            )
        self._engine.machine.write_bytes(paths[KEY], key, mode=0o600)
        self._engine.machine.write_bytes(paths[CERTIFICATE], certificate)

    def _file(self, variable: str) -> tuple[str, str]:
        done = self._look(variable, 'cat "$1"')
        path = _path(self._nginx(), variable)
        if done.exit_code:
            raise NotFoundError(f"There is no {path} in nginx.", hint="Check the volumes of nginx, and .env.")
        return path, done.stdout

    def _look(self, variable: str, script: str) -> CommandResult:
        """Run a script on one of nginx's files: in its container, or on the host while nginx does not run."""
        container = self._nginx()
        path = _path(container, variable)
        if container.is_running:
            return self._engine.query(["docker", "exec", container.id, "sh", "-c", script, "sh", path], check=False)
        argv = ["sh", "-c", script, "sh", str(_on_host(container, path))]
        return self._engine.machine.run(argv, check=False)

    def _exists(self, path: PurePosixPath) -> bool:
        return self._engine.machine.run(["test", "-e", str(path)], check=False).exit_code == 0


def is_certbots(path: PurePosixPath) -> bool:
    """Return whether a file is in a folder of certbot: `live/NAME` below its root."""
    return path.parent.parent.name == "live"


def _path(nginx: Container, variable: str) -> str:
    path = nginx.environment.get(variable, "")
    if not path:
        raise NotFoundError(f"{variable} is not set for nginx.", hint="Set it in .env.")
    return path


def _on_host(container: Container, path: str) -> PurePosixPath:
    """Return the path on the host of a container's file. Raises NotFoundError if its folder is not mounted."""
    for folder in PurePosixPath(path).parents:
        if str(folder) in container.mounts:
            return PurePosixPath(container.mounts[str(folder)]) / PurePosixPath(path).relative_to(folder)
    raise NotFoundError(
        f"{path} is not in a volume of {container.service}.", hint="Check its volumes in docker-compose.yml."
    )


def failure_line(said: str) -> str:
    """Return the sentence of certbot's output that names the failure."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(("-", "Saving debug"))]
    details = [line for line in lines if line.startswith(("Detail:", "Failed to renew", "The following", "Hint:"))]
    return (details or lines or ["it printed nothing"])[0]


def from_pem(text: str) -> Certificate:
    """Read a file that contains a certificate and its chain. Raises ValueError."""
    found = x509.load_pem_x509_certificates(text.encode())
    return _certificate(found[0], chain=len(found))


def public_key(text: str) -> str:
    """Return the public key of a certificate, as PEM."""
    key = x509.load_pem_x509_certificate(text.encode()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()


def served_at(name: str, place: Place) -> Certificate:
    """Return the certificate that a place serves for a name, and whether this machine trusts it."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    content = _handshake(name, place, unchecked)
    problem = ""
    try:
        _handshake(name, place, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        problem = error.verify_message
    found = _certificate(x509.load_der_x509_certificate(content))
    return replace(found, trusted=not problem, problem=problem)


def _handshake(name: str, place: Place, context: ssl.SSLContext) -> bytes:
    try:
        with (
            socket.create_connection((place.address, place.port), LOOK_S) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return secure.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise UnreachableError(f"{name} does not answer on port {place.port}.", hint="Type: qfc status") from error


def _certificate(found: x509.Certificate, *, chain: int = 1) -> Certificate:
    names: tuple[str, ...] = ()
    with suppress(x509.ExtensionNotFound):
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    return Certificate(
        subject=_short(found.subject),
        names=names,
        issuer=_short(found.issuer),
        serial=f"{found.serial_number:x}",
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        fingerprint=hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest(),
        chain=chain,
    )


def _short(name: x509.Name) -> str:
    """Return organization and common name, if present."""
    parts = [name.get_attributes_for_oid(oid) for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)]
    return " ".join(str(one[0].value) for one in parts if one) or name.rfc4514_string()
