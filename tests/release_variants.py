"""Deployments of six releases, written from what is known of their files: `.env`, Compose files, nginx's template.

Each release is the one before it with the changes of its time. Only what the suite reads is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

HOST = "field.example.test"
GENERATED = {
    "QFIELDCLOUD_HOST": HOST, "ENVIRONMENT": "production", "SECRET_KEY": "b9f1c0ffee", "SALT_KEY": "5ca1ab1e",
    "DEBUG": "0",
    "DJANGO_ALLOWED_HOSTS": f"{HOST} localhost 127.0.0.1 0.0.0.0 app nginx", "TMP_DIRECTORY": "/tmp",
    "POSTGRES_PASSWORD": "d4ta-ba5e", "POSTGRES_HOST": "db", "POSTGRES_PORT": "5432", "WEB_HTTP_PORT": "80",
    "WEB_HTTPS_PORT": "443", "QFIELDCLOUD_WORKER_QFIELDCLOUD_URL": f"https://{HOST}/api/v1/",
    "QFIELDCLOUD_WORKER_REPLICAS": "2", "QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS": "720", "QFIELDCLOUD_USE_I18N": "1",
    "QFIELDCLOUD_PASSWORD_LOGIN_IS_ENABLED": "1", "QFIELDCLOUD_ADMIN_URI": "admin/", "EMAIL_HOST": "mail.example.test",
    "QFIELDCLOUD_ACCOUNT_ADAPTER": "qfieldcloud.core.adapters.AccountAdapterSignUpClosed", "SENTRY_DSN": "",
    "SENTRY_SAMPLE_RATE": "1",
    "STORAGES": '{"default": {"BACKEND": "qfieldcloud.filestorage.backend.QfcS3Boto3Storage", "OPTIONS": {}}}',
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A release: its variables with their values, those with a default in Compose files, services, and its nginx."""

    name: str
    values: Mapping[str, str]
    defaulted: Mapping[str, str] = field(default_factory=dict[str, str])
    services: tuple[str, ...] = ("app", "nginx", "worker_wrapper", "ofelia", "memcached", "qgis", "db")
    internal_networks: tuple[str, ...] = ()
    #: What holds: compared ports, a login of its own, http for workers, strict flags, the limit in `.env`.
    compares_port: bool = False
    has_accounts_login: bool = True
    are_flags_strict: bool = True
    has_timeout_in_env: bool = False

    @property
    def has_internal_http(self) -> bool:
        return bool(self.internal_networks)

    def files(self) -> Mapping[str, str]:
        """Return its files by name."""
        example = "".join(f"{name}={value!r}\n" for name, value in {**self.values, **self.defaulted}.items())
        return {
            "docker-compose.yml": self._compose(),
            ".env.example": example,
            "docker-nginx/templates/default.conf.template": self._template(),
        }

    def env(self, **changed: str) -> str:
        """Return its `.env`."""
        return "".join(f"{name}='{value}'\n" for name, value in {**self.values, **changed}.items())

    def _compose(self) -> str:
        lines = [f"      {name}: ${{{name}}}" for name in self.values]
        lines += [f"      {name}: ${{{name}:-{value}}}" for name, value in self.defaulted.items()]
        parts = [f"  {name}:\n    image: {name}:1\n" for name in self.services]
        return "services:\n" + "".join(parts) + "    environment:\n" + "\n".join(lines) + "\n"

    def _template(self) -> str:
        ranges = "".join(f"    {one}  1;\n" for one in self.internal_networks)
        geo = f"geo $is_docker_internal {{\n    default 0;\n{ranges}}}\n" if ranges else ""
        guard = 'if ($http_host !~ "${QFIELDCLOUD_HOST}") { return 444; }'
        ports = ("80", "443 ssl")
        return geo + "".join(f"server {{\n  listen {port};\n  {guard}\n}}\n" for port in ports)


_V25_26 = Variant(
    "v25.26",
    {**GENERATED, "GEODB_HOST": "geodb", "GEODB_PORT": "5432", "MINIO_API_PORT": "8009"},
    {"QFIELDCLOUD_QGIS_IMAGE_NAME": "x-qgis"},
    (*Variant("", {}).services, "geodb", "minio"),
    compares_port=True,
    has_accounts_login=False,
    are_flags_strict=False,
)
_V25_28 = replace(
    _V25_26,
    name="v25.28",
    values={name: value for name, value in _V25_26.values.items() if not name.startswith("GEODB_")},
    defaulted={**_V25_26.defaulted, "NGINX_CLIENT_MAX_BODY_SIZE": "10g"},
    services=tuple(name for name in _V25_26.services if name != "geodb"),
    compares_port=False,
    has_accounts_login=True,
)
_V26_4 = replace(
    _V25_28,
    name="v26.4",
    values={
        **{name: value for name, value in _V25_28.values.items() if not name.startswith("MINIO_")},
        "DJANGO_USE_X_FORWARDED_HOST": "1",
        "CORS_ALLOW_CREDENTIALS": "1",
        "OBJECT_STORAGE_API_PORT": "8009",
    },
    services=tuple("rustfs" if name == "minio" else name for name in _V25_28.services),
    are_flags_strict=True,
)
_V26_8 = replace(
    _V26_4,
    name="v26.8",
    defaulted={**_V26_4.defaulted, "NGINX_ALLOW_INTERNAL_HTTP": "0"},
    internal_networks=("172.16.0.0/12",),
)
_V26_20 = replace(
    _V26_8,
    name="v26.20",
    defaulted={
        **{name: value for name, value in _V26_8.defaulted.items() if name != "QFIELDCLOUD_QGIS_IMAGE_NAME"},
        "QFIELDCLOUD_QGIS3_IMAGE_NAME": "x-qgis3",
        "QFIELDCLOUD_QGIS4_IMAGE_NAME": "x-qgis4",
    },
)
_V26_25 = replace(
    _V26_20,
    name="v26.25",
    values={**_V26_20.values, "QFIELDCLOUD_WORKER_TIMEOUT_S": "600"},
    has_timeout_in_env=True,
)
VARIANTS: Mapping[str, Variant] = {one.name: one for one in (_V25_26, _V25_28, _V26_4, _V26_8, _V26_20, _V26_25)}
