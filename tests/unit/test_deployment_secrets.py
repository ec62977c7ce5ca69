"""The keys of a deployment in a set: those that its application uses, wherever they are set."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qfc.drivers.backups.deployment import DeploymentBackupSource
from qfc.drivers.backups.deployment_target import keys_in
from qfc.errors import DamagedError, NotFoundError, QfcError


def absent(*_: object) -> Any:
    """Find nothing."""
    raise NotFoundError("It is not there.")


def source(environment: dict[str, str]) -> DeploymentBackupSource:
    """Return a deployment without files whose application has this environment."""
    observer = SimpleNamespace(
        engine=SimpleNamespace(machine=SimpleNamespace(read_bytes=absent)),
        environment=lambda service: environment if service == "app" else {},
        deployment=SimpleNamespace(folder=PurePosixPath("/srv/deployment")),
        snapshot=lambda: SimpleNamespace(containers=(), files=()),
        present=absent,
        env_files=(),
    )
    return DeploymentBackupSource(cast(Any, observer), absent, absent, absent, cast(Any, None))


def test_the_keys_are_those_that_the_application_uses() -> None:
    files = source({"SECRET_KEY": "from an override", "SALT_KEY": "salt", "DEBUG": "0"}).secrets()
    assert files == {"secrets/SECRET_KEY": b"from an override", "secrets/SALT_KEY": b"salt"}
    assert keys_in(files) == {"SECRET_KEY": "from an override", "SALT_KEY": "salt"}


def test_without_secret_key_no_set_is_begun() -> None:
    made = source({"SALT_KEY": "salt"})
    with pytest.raises(QfcError, match="The application has no SECRET_KEY"), made.snapshot():
        pass
    with pytest.raises(QfcError, match="no SECRET_KEY"):
        made.secrets()


@pytest.mark.parametrize("files", [{"secrets/SALT_KEY": b"salt"}, {"secrets/SECRET_KEY": b""}])
def test_the_salt_alone_opens_nothing(files: dict[str, bytes]) -> None:
    with pytest.raises(DamagedError, match="no SECRET_KEY"):
        keys_in(files)
