"""The content of a deployment's S3 stores, asked from inside the application's container, which has the keys."""

from __future__ import annotations

import json
from importlib import resources

from .....errors import CommandError
from .....stack.model import StoreContent, StoredBytes
from .....stack.ports.diagnosis import StoreInspection
from ..observer import Observer

APP = "app"
#: Seconds for the list of a store's versions; what comes later is not counted.
LOOK_S = 10
LIMIT_S = 60.0


class ComposeStores(StoreInspection):
    """The stores of one deployment."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def contents(self) -> tuple[StoreContent, ...]:
        return parsed(self._run("look", LOOK_S))

    def expire(self, *, days: int) -> None:
        self._run("expire", days)

    def _run(self, verb: str, number: int) -> str:
        script = resources.files("qfc.drivers.docker").joinpath("bucket_versions.py").read_bytes()
        argv = ["docker", "exec", "--interactive", self._observer.running(APP).id, "python3", "-", verb, str(number)]
        done = self._observer.engine.run(argv, stdin=script, timeout_s=LIMIT_S, check=False)
        if done.exit_code:
            last = done.stderr.strip().rpartition("\n")[2]
            raise CommandError(f"The application cannot ask the file store: {last}", said=done.stderr)
        return done.stdout


def parsed(printed: str) -> tuple[StoreContent, ...]:
    """Read what the script prints."""
    return tuple(
        StoreContent(
            one["store"],
            one["keeps_deleted"],
            one["is_whole"],
            tuple(StoredBytes(id, *sums) for id, sums in sorted(one["projects"].items())),
        )
        for one in json.loads(printed)
    )
