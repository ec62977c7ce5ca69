"""Folders of jobs that official workers left on the host: that of a failed job is never removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from ...errors import RefusedError
from ...stack.model import TemporaryFolder
from .containers import Container
from .engine import Engine

#: The folder that workers and the containers of their jobs share with the host, as workers see it.
SHARED = "/tmp"
#: The folder of a job, inside its container.
JOB_FOLDER = "/io"
# The files that official workers write identify the folder of a job. Its age is that of its newest file.
_LIST = """
now=$(date +%s)
for folder in "$1"/tmp*; do
    [ -e "$folder/feedback.json" ] || [ -e "$folder/deltafile.json" ] || continue
    newest=$(stat -c %Y "$folder" "$folder"/* 2>/dev/null | sort -n | tail -n 1)
    echo "$((now - newest)) ${folder##*/}"
done
"""
_REMOVE = 'cd "$1" && shift && rm -rf -- "$@"'


class JobFolders:
    """The folders of one deployment. A running worker lists and removes them, if any: only root can read them."""

    def __init__(self, engine: Engine, workers: Callable[[], Sequence[Container]]) -> None:
        self._engine, self._workers = engine, workers

    def all(self, jobs: Sequence[Container]) -> tuple[TemporaryFolder, ...]:
        """Return the folders; `jobs` are the containers that map folders to jobs."""
        worker = self._sharing()
        if worker is None:
            return ()
        owners = {one.mounts[JOB_FOLDER]: one.labels["job_id"] for one in jobs if JOB_FOLDER in one.mounts}
        place, prefix = _place(worker)
        printed = self._engine.query([*prefix, "sh", "-c", _LIST, "sh", place]).stdout
        found = (line.split(" ", 1) for line in printed.splitlines())
        paths = ((str(PurePosixPath(worker.mounts[SHARED]) / name), float(age)) for age, name in found)
        return tuple(TemporaryFolder(path, age_s, owners.get(path, "")) for path, age_s in paths)

    def remove(self, paths: Sequence[str], known: Sequence[TemporaryFolder]) -> None:
        """Remove folders with their content. Raises RefusedError for a folder that is not in the list."""
        strange = sorted(set(paths) - {one.path for one in known})
        if strange:
            raise RefusedError(
                f"The folder {strange[0]} is not a leftover of a job.", hint="See the leftovers of jobs: qfc doctor"
            )
        worker = self._sharing()
        if worker is not None and paths:
            place, prefix = _place(worker)
            names = [PurePosixPath(path).name for path in paths]
            self._engine.run([*prefix, "sh", "-c", _REMOVE, "sh", place, *names])

    def _sharing(self) -> Container | None:
        """Return a worker that shares its folder with the host, preferably a running one."""
        sharing = [one for one in self._workers() if SHARED in one.mounts]
        return min(sharing, key=lambda one: one.status != "running", default=None)


def _place(worker: Container) -> tuple[str, list[str]]:
    """Return the path of the folder where it is listed, and the prefix of the command."""
    if worker.status == "running":
        # As root, whatever account the workers use: jobs write as another one.
        return SHARED, ["docker", "exec", "--user", "0", worker.id]
    return worker.mounts[SHARED], []
