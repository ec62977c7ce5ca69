"""What servers and sets have, and what their users see of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from ...errors import QfcError
from ...stack.backup_set import SECRETS, Located, Manifest, Reference, Stored
from ...stack.env_file import EnvFile
from ...stack.model import Capability
from ...stack.ports import BackupStore, Ports
from ...stack.transfer.by_hand import Server
from ...stack.transfer.contents import Contents
from ..backup.archives import files_of
from ..backup.restore_objects import located, name_of

#: The operator's settings, by their names in a set.
DEPLOYMENTS, NODES = "deployment/.env", "node.env"


def contents_of(ports: Ports) -> Contents:
    """Return what a server has now; its database has to run."""
    with ports.backups.source.snapshot() as snapshot:
        facts = snapshot.facts
        return Contents(ports.name, facts.tables, tuple(snapshot.references()), facts.migrations, facts.server_version)


def contents_of_set(store: BackupStore, manifest: Manifest) -> Contents:
    """Return what a set has."""
    objects = tuple(reference_of(one) for one in located(store, manifest))
    missing = frozenset(one.name or one.sha256 for one in manifest.missing)
    database = manifest.database
    return Contents(manifest.id, database.tables, objects, database.migrations, database.server_version, missing)


def without_missing(contents: Contents, ports: Ports) -> Contents:
    """Return what a server has, without the objects that its own store lacks."""
    lacking = ports.backups.target.lacking(map(located_of, contents.objects))
    missing = frozenset(map(name_of, lacking))
    there = tuple(one for one in contents.objects if one.name not in missing)
    return replace(contents, objects=there, missing=missing)


def located_of(reference: Reference) -> Located:
    """Return an object that rows refer to as one of a set, as far as rows know it."""
    return Located(Stored(reference.sha256, reference.size or 0, "", "", 0), reference.place)


def reference_of(object: Located) -> Reference:
    """Return what rows say of an object."""
    return Reference(object.stored.sha256, object.stored.size, object.place)


def server_of(ports: Ports) -> Server:
    """Return what matters of a server for its users. What cannot be seen is left out."""
    url, tunnels = "", ()
    with suppress(QfcError):
        url = ports.api.url
    with suppress(QfcError):
        tunnels = _tunnels(ports)
    parts = urlsplit(url)
    return Server(
        ports.name,
        ports.offers(Capability.CONTAINERS),
        settings_of(ports),
        _settings_file(ports),
        _machine(ports),
        url,
        parts.hostname or "",
        parts.port,
        tunnels,
    )


def settings_of(ports: Ports) -> Mapping[str, str]:
    """Return the values of `.env` or `node.env`; nothing if they cannot be read."""
    with suppress(QfcError):
        if ports.offers(Capability.CONTAINERS):
            return ports.deployment.settings.values()
        return _values(ports.backups.source.secrets())
    return {}


def _tunnels(ports: Ports) -> Sequence[str]:
    if not ports.offers(Capability.CONTAINERS):
        return ()
    return tuple(one.name for one in ports.deployment.tunnels.find() if one.running)


def _settings_file(ports: Ports) -> str:
    return str(ports.deployment.folder / ".env" if ports.offers(Capability.CONTAINERS) else ports.folder / NODES)


def _machine(ports: Ports) -> str:
    return "" if ports.host.name == "local" else ports.host.name


def server_of_set(store: BackupStore, manifest: Manifest) -> Server:
    """Return the same of the server that a set was made of; the key has to be here."""
    files = secrets_of(store, manifest)
    is_deployment = DEPLOYMENTS in files
    name = ".env" if is_deployment else NODES
    return Server(manifest.stack, is_deployment, _values(files), name, f"the machine of {manifest.stack}")


def secrets_of(store: BackupStore, manifest: Manifest) -> Mapping[str, bytes]:
    """Return the secret files of a set; the key has to be here."""
    content = io.BytesIO()
    store.read(manifest.parts[SECRETS], content)
    return files_of(content.getvalue())


def _values(files: Mapping[str, bytes]) -> Mapping[str, str]:
    """Return the settings among the files of a set."""
    found = next((files[name] for name in (DEPLOYMENTS, NODES) if name in files), b"")
    return EnvFile(found.decode(errors="replace")).values
