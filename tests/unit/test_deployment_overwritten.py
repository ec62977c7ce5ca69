"""Objects that a restore overwrites come back, or their copies go, in the stores concerned: others may be away."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any, BinaryIO, cast

import pytest

from qfc.drivers.backups.deployment_objects import ASIDE, DeploymentObjects
from qfc.drivers.backups.deployment_target import OVERWRITTEN, DeploymentRestoreTarget, Server
from qfc.errors import QfcError, UnreachableError
from qfc.stack.backup_set import Located, Place, Stored
from twins import MemoryObjectStore, MemoryRecords

KEY, OLD, NEW = "users/a/avatar.png", b"old", b"new"
PICTURE = Located(Stored(sha256(OLD).hexdigest(), len(OLD), "", "", 0), Place("default", KEY))


class Away(MemoryObjectStore):
    """A store that cannot be reached."""

    def keys(self, prefix: str = "") -> Any:  # noqa: ARG002
        """Refuse."""
        raise UnreachableError("The bucket cannot be used.")


class Site:
    """A deployment with a store in use and one that is away."""

    def __init__(self) -> None:
        self.store, self.records = MemoryObjectStore(), MemoryRecords()
        self.store.put(KEY, io.BytesIO(NEW))
        self.stores: dict[str, MemoryObjectStore] = {"default": self.store, "archive": Away()}

    def target(self) -> DeploymentRestoreTarget:
        """Return it as a target, as each command does."""
        server = Server("x", cast(Any, None), cast(Any, None), lambda: None)
        objects = DeploymentObjects(lambda: self.stores)
        return DeploymentRestoreTarget(cast(Any, None), server, objects, cast(Any, None), cast(Any, self.records))


@pytest.fixture
def site() -> Site:
    return Site()


def write(sink: BinaryIO) -> None:
    sink.write(OLD)


def test_only_stores_in_which_something_was_overwritten_are_needed(site: Site) -> None:
    site.target().put_back()
    site.target().settle_objects()
    site.target().overwrite(PICTURE, write)
    assert site.store.get(KEY).read() == OLD
    for _ in range(2):
        site.target().put_back()
        assert site.store.get(KEY).read() == NEW
    assert not list(site.store.keys(ASIDE))
    assert site.records.read(OVERWRITTEN) is None


def test_the_copies_go_when_the_restore_is_complete(site: Site) -> None:
    site.target().overwrite(PICTURE, write)
    for _ in range(2):
        site.target().settle_objects()
    site.target().put_back()
    assert site.store.get(KEY).read() == OLD
    assert not list(site.store.keys(ASIDE))


def test_the_store_is_noted_before_anything_is_overwritten(site: Site) -> None:
    def failing(sink: BinaryIO) -> None:
        assert site.records.read(OVERWRITTEN) == {"stores": ["default"]}
        sink.write(OLD)

    site.target().overwrite(PICTURE, failing)
    site.stores = {"archive": site.stores["archive"]}
    with pytest.raises(QfcError, match="no store default any more") as caught:
        site.target().put_back()
    assert "Add default to STORAGES again" in caught.value.hint
