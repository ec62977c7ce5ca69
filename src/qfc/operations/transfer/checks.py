"""What is refused before a move changes anything."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import NoTablesError, RefusedError, UnreachableError, UsageError
from ...stack.backup_key import key_is_elsewhere
from ...stack.backup_set import SALT_KEY, Manifest
from ...stack.model import Capability
from ...stack.ports import BackupStore, Ports
from ...stack.transfer import moved
from ...stack.transfer.contents import NODES_OWN, Contents, unknown_stores, why_not
from ...stack.transfer.stores import in_common
from ..probe import some_superuser
from .facts import contents_of, secrets_of, settings_of


def require_movable(old: Ports, new: Ports) -> tuple[Contents, Contents | None]:
    """Check that the new server can take the data of the old one; return what both have. Raises RefusedError."""
    if old.name == new.name:
        raise UsageError(
            f"{old.name} cannot be moved to itself.", hint="Name another stack: qfc transfer run --to STACK"
        )
    moved.require_here(old.records)
    _require_in_use(new, old.name)
    require_holdable(old)
    some_superuser(old)  # the synchronisation at the end needs one
    before, after = contents_of(old), present(new)
    require_same_tables(before, after)
    _require_stores(old, new, before)
    require_other_buckets(old.name, settings_of(old), new)
    return before, after


def _require_in_use(new: Ports, old: str) -> None:
    """Check that the new server was not moved away: nobody could start it. Raises RefusedError."""
    away = moved.read(new.records)
    if away is not None:
        raise RefusedError(
            f"{new.name} was moved to {away.to} at {away.at:%Y-%m-%d %H:%M} UTC, and takes no data of {old} yet.",
            hint=f"Let it be used again: qfc --stack {new.name} transfer back; then move {old} to it. "
            f"People go on working on {old} until then.",
        )


def require_holdable(ports: Ports) -> None:
    """Check that writes can be blocked, and that the key of backups is here. Raises RefusedError."""
    if ports.offers(Capability.CONTAINERS):
        refusal = ports.deployment.traffic.refusal()
        if refusal is not None:
            raise RefusedError(f"Writes to {ports.name} cannot be blocked: {refusal}.")
    keys = ports.backups.keys
    if keys.recipient() is not None and keys.identity() is None:
        raise key_is_elsewhere()


def present(ports: Ports) -> Contents | None:
    """Return what the new server has: nothing if it was never started, None if its database does not run."""
    try:
        return contents_of(ports)
    except NoTablesError:
        return Contents(ports.name, {}, ())
    except UnreachableError:
        return None


def require_same_tables(before: Contents, after: Contents | None) -> None:
    """Check that rows of one fit into the tables of the other, as far as these are seen. Raises RefusedError."""
    reason = why_not(before, after) if after is not None else None
    if reason is not None:
        raise RefusedError(reason[0], hint=reason[1])


def require_other_buckets(name: str, settings: Mapping[str, str], new: Ports) -> None:
    """Check that no store in the settings of the old server is one of the new one. Raises RefusedError."""
    common = in_common(settings, settings_of(new))
    if common:
        raise RefusedError(
            f"{name} and {new.name} both have their files in {common[0]}, and each would remove files of the other.",
            hint=f"Give {new.name} a bucket or a folder of its own. To restore a set of its own: qfc db restore",
        )


def require_salt(store: BackupStore, manifest: Manifest, new: Ports) -> None:
    """Check that the new server reads what an official one without SALT_KEY has encrypted. Raises RefusedError."""
    is_official = NODES_OWN not in manifest.database.tables
    if is_official and SALT_KEY not in secrets_of(store, manifest) and settings_of(new).get("SALT_KEY"):
        raise RefusedError(
            f"{manifest.stack} has an empty SALT_KEY and {new.name} has one: nobody could read secrets in its rows.",
            hint=f"Set SALT_KEY= in the .env of {new.name}, then type: qfc --stack {new.name} services recreate",
        )


def _require_stores(old: Ports, new: Ports, before: Contents) -> None:
    theirs = new.backups.target.stores
    unknown = unknown_stores(before.objects, old.backups.target.stores, theirs) if theirs else ()
    if unknown:
        raise RefusedError(
            f"Rows of {old.name} name the file store {unknown[0]}, which the settings of {new.name} lack.",
            hint=f"Add {unknown[0]} to STORAGES in its .env, then type: qfc --stack {new.name} services recreate",
        )
