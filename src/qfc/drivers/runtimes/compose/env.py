"""Reading and changing a deployment's `.env` on its host, wherever Compose was told to look for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from ....errors import CommandError, NotFoundError, QfcError, RefusedError
from ....files import half_of
from ....stack.env_file import EnvFile
from ...docker.engine import Engine
from ...replacing import AS_BEFORE, REPLACE
from .deployment import ENV_FILE, read_env_file

#: Next to `.env`: the file before each change, `.env.before.1` and so on; the highest number is the latest.
BEFORE = ".before"
# Only the owner can read a copy. None is ever overwritten: after several repairs, the first state is still there.
_CHANGE = f"""{REPLACE}
copy() (
    umask 077
    number=1
    while [ -e "$2.$number" ] || [ -L "$2.$number" ]; do number=$((number + 1)); done
    cp -p -- "$1" "$2.$number" && chmod 600 "$2.$number" && return 0
    rm -f -- "$2.$number"
    return 1
)
[ ! -e "$1" ] || copy "$1" "$3" || exit 1
replace "$1" "$2" '{AS_BEFORE}' "$4" cat
"""


class Env:
    """The `.env` of one deployment: in its folder, unless `named` returns the files that Compose was given instead."""

    def __init__(
        self, engine: Engine, folder: PurePosixPath, named: Callable[[], Sequence[PurePosixPath]] = tuple
    ) -> None:
        self._engine, self._folder, self._named = engine, folder, named

    @property
    def paths(self) -> Sequence[PurePosixPath]:
        """The paths of the files; a later one overrides the ones before it."""
        return self._named() or (self._folder / ENV_FILE,)

    @property
    def path(self) -> PurePosixPath:
        """The path of the file that is changed."""
        return self.paths[-1]

    def read(self) -> EnvFile:
        """Return the file, empty if it does not exist; several as one. Raises QfcError for a given one that is gone."""
        given = bool(self._named())
        files = [read_env_file(path, self._engine, must_exist=given) for path in self.paths]
        return files[0] if len(files) == 1 else EnvFile("\n".join(one.text for one in files), str(self.path))

    def change(self, values: Mapping[str, str]) -> EnvFile:
        """Change values; comments, order and permissions stay. Return the previous file. Raises QfcError."""
        before = self.read()
        after = before.with_values(values)
        if after != before:
            self.write(after)
        return before

    def write(self, file: EnvFile) -> None:
        """Replace the file, and keep a numbered copy of the old one next to it, readable only by its owner.

        Raises RefusedError where there are several: which one a line belongs to is for the operator to decide.
        """
        if len(self.paths) > 1:
            listed = ", ".join(map(str, self.paths))
            raise RefusedError(f"Compose reads several files of variables: {listed}.", hint="Change them yourself.")
        content = file.text.encode("utf-8", errors="surrogateescape")
        paths = (str(self.path), str(half_of(self.path)), f"{self.path}{BEFORE}")
        argv = ["sh", "-c", _CHANGE, "sh", *paths, str(len(content))]
        try:
            self._engine.run(argv, stdin=content)
        except (CommandError, NotFoundError) as error:
            raise QfcError(
                f"{self.path} cannot be written.",
                hint="Check free space, and the owner and permissions of the file.",
            ) from error
