"""Whether the server that is installed has the tables of a set; if not, which release has."""

from __future__ import annotations

from ... import __version__
from ...errors import RefusedError
from ...stack.backup_set import Manifest
from ...stack.migrations import not_applied, not_in_release, planned
from ...stack.model import Capability, ServiceState
from ...stack.ports import Ports
from ..management import APP, manage

PLAN = ("showmigrations", "--plan")


def require_release(manifest: Manifest, ports: Ports) -> None:
    """Check that the installed release has the tables of the set. Raises RefusedError with the one to install."""
    known, _missing = planned(_migrations(ports))
    of_set = manifest.database.migrations
    # An application that names none has not said what it knows.
    foreign = not_in_release(of_set, known) if known else tuple(of_set)
    others = sorted({*foreign, *not_applied(of_set, known)})
    if not others:
        return
    other = others[0]
    if manifest.release:
        raise RefusedError(
            f"{manifest.id} was made of {manifest.release}; {_present(ports)} has other tables ({other}).",
            hint=f"Deploy that release (qfc deploy --tag {manifest.release}), restore, then deploy this one again.",
        )
    raise RefusedError(
        f"{manifest.id} was made by qfc {manifest.qfc}; qfc {__version__} has other tables ({other}).",
        hint=f"Install qfieldcloud-suite=={manifest.qfc}, restore, then upgrade.",
    )


def _present(ports: Ports) -> str:
    return ports.backups.source.release() or f"qfc {__version__}"


def _migrations(ports: Ports) -> str:
    """Return the application's list of migrations; where it does not run, in a container of its own."""
    if ports.offers(Capability.CONTAINERS) and not _runs(ports):
        return ports.deployment.rollout.run(PLAN)
    return manage(ports.runtime, *PLAN).stdout


def _runs(ports: Ports) -> bool:
    app = next((one for one in ports.runtime.services() if one.name == APP), None)
    return app is not None and any(one.state is ServiceState.RUNNING for one in app.instances)
