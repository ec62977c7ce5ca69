"""Values of a deployment's `.env` that are known to cause problems. Services read them when they are recreated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..stack.env_file import EnvFile
from ..stack.model import Capability
from ..stack.ports import Ports
from .base import Fault, UndoData


@dataclass(frozen=True)
class Setting(Fault):
    """Faulty values of `.env`. In a value, {NAME} stands for the value of another variable.

    `readers` are services that are recreated with them: where a check looks at what runs.
    """

    needs: Capability | None = Capability.CONTAINERS
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    readers: tuple[str, ...] = ()

    @property
    def recreates(self) -> bool:
        """Whether services are recreated."""
        return bool(self.readers)

    def look(self, ports: Ports) -> UndoData:
        """Return the text of these variables in `.env`, with all lines of their values; none for one that it lacks."""
        statements = EnvFile(ports.deployment.settings.text()).statements_of(list(self.values))
        return {"lines": {name: list(lines) for name, lines in statements.items()}}

    def make(self, ports: Ports, known: UndoData) -> None:
        """Write the faulty values."""
        del known
        now = ports.deployment.settings.values()
        ports.deployment.settings.change({name: _filled(value, now) for name, value in self.values.items()})
        self._recreate(ports)

    def undo(self, ports: Ports, known: UndoData) -> None:
        """Restore the old lines, and remove those that were not there."""
        now = EnvFile(ports.deployment.settings.text())
        before = now.with_statements({name: _all(lines) for name, lines in known["lines"].items()})
        if before != now:
            ports.deployment.settings.restore(before.text)
            self._recreate(ports)

    def _recreate(self, ports: Ports) -> None:
        if self.readers:
            ports.runtime.recreate(self.readers)


def _all(lines: str | list[str] | None) -> list[str]:
    """Return all lines; earlier releases of qfc recorded one, or none."""
    return [lines] if isinstance(lines, str) else lines or []


def _filled(value: str, now: Mapping[str, str]) -> str:
    """Insert the values of other variables into one. Braces of JSON are left alone."""
    for name in ("COMPOSE_FILE", "QFIELDCLOUD_HOST", "HOST_POSTGRES_PORT", "POSTGRES_SSLMODE"):
        value = value.replace(f"{{{name}}}", now.get(name, ""))
    return value


STORE = '"BACKEND": "qfieldcloud.filestorage.backend.QfcWebDavStorage"'
WEBDAV = f'{{"default": {{{STORE}, "OPTIONS": {{"webdav_url": "https://user:qfc-lab@dav.example.org/"}}}}}}'
ADAPTER = "qfieldcloud.core.adapters.AccountAdapterSignUpOpen"
SHIPPED_SALT = "0123456789abcdefghijklmnopqrstuvwxyz"


def _setting(id: str, title: str, finds: str, **values: str) -> Setting:
    return Setting(id, title, tuple(finds.split()), values=values)


SETTINGS: tuple[Fault, ...] = (
    _setting("development-files", "Development files are part of the deployment", "A01",
             COMPOSE_FILE="{COMPOSE_FILE}:docker-compose.override.local.yml"),
    _setting("debug-on", "Debug mode is on", "A02", DEBUG="1"),
    _setting("environment-test", "The server runs as a test environment", "A02", ENVIRONMENT="test"),
    _setting("port-collision", "Two services are set to the same port", "A05-env",
             WEB_HTTP_PORT="{HOST_POSTGRES_PORT}"),
    _setting("comment-in-value", "A comment became part of a value", "A06",
             POSTGRES_SSLMODE="prefer # or require, most of the times"),
    _setting("secret-shipped", "A secret is still that of the example", "A10", SALT_KEY=SHIPPED_SALT),
    _setting("host-in-capitals", "The host name has capital letters", "B03", QFIELDCLOUD_HOST="Field.Example.ORG"),
    _setting("host-with-scheme", "The host name starts with https://", "B03 B04",
             QFIELDCLOUD_HOST="https://{QFIELDCLOUD_HOST}"),
    _setting("host-not-allowed", "The application refuses its own host name", "B04",
             DJANGO_ALLOWED_HOSTS="localhost"),
    _setting("https-port-not-public", "WEB_HTTPS_PORT differs from the public port", "B05", WEB_HTTPS_PORT="8443"),
    _setting("worker-past-nginx", "Workers bypass nginx", "B06",
             QFIELDCLOUD_WORKER_QFIELDCLOUD_URL="http://app:8000/api/v1/"),
    _setting("certificate-staging", "Certificates come from the staging authority", "B11", LETSENCRYPT_STAGING="1",
             LETSENCRYPT_EMAIL="lab@example.org", QFIELDCLOUD_TLS_CERT="/etc/letsencrypt/live/lab/fullchain.pem"),
    _setting("storages-broken", "STORAGES is not valid JSON", "C07", STORAGES='{"default": {'),
    _setting("storages-without-default", "STORAGES lacks the default store", "C07",
             STORAGES=f'{{"other": {{{STORE}}}}}', STORAGES_PROJECT_DEFAULT_STORAGE="default"),
    _setting("webdav-credentials", "A WebDAV address contains a password", "C08", STORAGES=WEBDAV),
    Setting("network-name-wrong", "Workers start containers in a network that does not exist", ("D01-network",),
            values={"QFIELDCLOUD_DEFAULT_NETWORK": "qfc-lab-network"}, readers=("worker_wrapper",)),
    _setting("qgis-image-name-wrong", "Workers use the name of a QGIS image that does not exist", "D02",
             QFIELDCLOUD_QGIS_IMAGE_NAME="qfc-lab-no-such-image"),
    _setting("temporary-folder-wrong", "The temporary folder is not shared", "D10", TMP_DIRECTORY="/srv/qfc-lab"),
    _setting("mail-to-nowhere", "Mail is never delivered", "H06", EMAIL_HOST="smtp4dev"),
    _setting("mail-tls-by-number", "Mail is sent without encryption: only the word true switches TLS on", "H06-tls",
             EMAIL_USE_TLS="1"),
    _setting("sign-up-open", "Anybody can create an account", "H07", QFIELDCLOUD_ACCOUNT_ADAPTER=ADAPTER),
)  # fmt: skip
