"""What nobody but the operator can do after a move, with the lines to type. Pure.

Values are shown for addresses alone; of every other setting only its name is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: Settings that name the server's own addresses: they move with the name of the server.
ADDRESSES = re.compile(r"QFIELDCLOUD_HOST|(?:DJANGO_)?ALLOWED_HOSTS|(?:DJANGO_)?CSRF_TRUSTED_ORIGINS")
#: Settings that each server has of its own: database, file store, keys (they move with the data), ports, numbers.
OF_EACH = re.compile(
    r"(?:HOST_|GEODB_)?POSTGRES_.*|PG\w*|.*STORAGES?(?:_.*)?|MINIO_.*|RUSTFS_.*|WEBDAV_.*|.*_PORT|COMPOSE_.*"
    r"|SECRET_KEY|SALT_KEY|ENVIRONMENT|DEBUG|GUNICORN_.*|QFC_.*|.*REPLICAS|QFIELDCLOUD_TLS_.*"
)
HOST = "QFIELDCLOUD_HOST"


@dataclass(frozen=True)
class Server:
    """What matters of a server for those that use it. `settings` are values of `.env` or `node.env`, some secret.

    `machine` is where it runs, empty for this machine; `url` is empty where it is not known, as its host and port are.
    """

    name: str
    is_deployment: bool
    settings: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    settings_file: str = ".env"
    machine: str = ""
    url: str = ""
    url_host: str = ""
    url_port: int | None = None
    tunnels: Sequence[str] = ()

    @property
    def host(self) -> str:
        """The name under which devices know it."""
        return self.settings.get(HOST) or self.url_host

    @property
    def shown_machine(self) -> str:
        """Where it runs, in words."""
        return self.machine or "this machine"


@dataclass(frozen=True)
class Chore:
    """Something to be done by hand, why, and the lines to type or to write."""

    what: str
    why: str
    lines: tuple[str, ...]


def chores(old: Server, new: Server) -> tuple[Chore, ...]:
    """Return what stays to be done by hand, in the order in which it is done."""
    rules: tuple[Callable[[Server, Server], Iterator[Chore]], ...] = (
        _addresses, _other_settings, _certificate, _firewall, _tunnels, _name, _devices, _routine,
    )  # fmt: skip
    return tuple(chore for rule in rules for chore in rule(old, new))


def _addresses(old: Server, new: Server) -> Iterator[Chore]:
    wanted = {
        name: value
        for name, value in old.settings.items()
        if ADDRESSES.fullmatch(name) and value and new.settings.get(name) != value
    }
    if wanted:
        lines = [f"{name}={value}" for name, value in wanted.items()]
        yield Chore(
            f"Write the addresses of the old server into {new.settings_file} of {new.name}",
            "Django refuses requests for a name that it does not know (400), and forms from it (CSRF, 403).",
            (*lines, f"qfc --stack {new.name} services recreate --service app"),
        )


def _other_settings(old: Server, new: Server) -> Iterator[Chore]:
    other = [
        name
        for name, value in sorted(old.settings.items())
        if not (ADDRESSES.fullmatch(name) or OF_EACH.fullmatch(name)) and value and new.settings.get(name) != value
    ]
    if other:
        pattern = "|".join(other)
        yield Chore(
            f"Compare {len(other)} settings that {new.name} lacks or has with another value",
            "Mail, limits and the like are not moved. Values are not shown here, since some are secret.",
            (f"grep -E '^({pattern})=' {old.settings_file}   # of {old.name}",),
        )


def _certificate(old: Server, new: Server) -> Iterator[Chore]:
    del old
    if new.is_deployment:
        yield Chore(
            "Give the new server a certificate for the name",
            "Certificates are not moved. One of Let's Encrypt is issued once the name leads to the new server.",
            (f"qfc --stack {new.name} certs status", f"qfc --stack {new.name} certs renew"),
        )


def _firewall(old: Server, new: Server) -> Iterator[Chore]:
    del old
    ports = _ports(new)
    if ports:
        yield Chore(
            f"Open the firewall of {new.shown_machine}",
            "Devices have to reach the new server from outside.",
            tuple(f"sudo ufw allow {port}/tcp" for port in ports),
        )


def _ports(server: Server) -> list[int]:
    if server.is_deployment:
        values = [server.settings.get("WEB_HTTP_PORT", "80"), server.settings.get("WEB_HTTPS_PORT", "443")]
        return [int(one) for one in values if one.isdigit()]
    return [server.url_port] if server.url_port else []


def _tunnels(old: Server, new: Server) -> Iterator[Chore]:
    if old.tunnels:
        yield Chore(
            f"Move the tunnel ({', '.join(old.tunnels)})",
            "It still leads to the old server. Its token is on the page of the tunnel at Cloudflare.",
            (
                f"sudo cloudflared service install TOKEN   # on {new.shown_machine}",
                f"qfc --stack {new.name} tunnel status",
                f"sudo cloudflared service uninstall   # on {old.shown_machine}",
            ),
        )


def _name(old: Server, new: Server) -> Iterator[Chore]:
    host = old.host
    if host and "." in host and not _is_address(host) and not old.tunnels:
        yield Chore(
            f"Let the name {host} lead to the new server",
            f"In the DNS of its domain, set its A and AAAA records to the addresses of {new.shown_machine}.",
            (f"dig +short {host}", f"qfc --stack {new.name} health"),
        )


def _devices(old: Server, new: Server) -> Iterator[Chore]:
    if _is_address(old.host) and new.url and old.url != new.url:
        yield Chore(
            "Tell people the new address",
            f"Devices that use {old.url or old.host} have no name that could lead to the new server.",
            (new.url,),
        )


def _is_address(host: str) -> bool:
    return ":" in host or host == "localhost" or bool(re.fullmatch(r"[\d.]+", host))


def _routine(old: Server, new: Server) -> Iterator[Chore]:
    yield Chore(
        "Let the new server be backed up and watched",
        f"Backups, schedules and the monitor were those of {old.name}.",
        (
            f"qfc --stack {new.name} db backup",
            f"qfc --stack {new.name} maintenance install",
            "qfc monitor install",
            f"qfc --stack {new.name} doctor",
        ),
    )
