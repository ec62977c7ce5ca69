"""Reading and changing a deployment's `.env` on its host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from ....errors import CommandError, NotFoundError, QfcError
from ...docker.engine import Engine
from ...env_file import EnvFile
from .deployment import ENV_FILE, read_env

#: Beside `.env`, as it was before the last change.
BEFORE = ".env.before"
# Owner and rights of the file stay; the copy is for nobody else. A broken connection looks like the end of the input.
_REPLACE = """
set -e
trap 'rm -f -- "$1.new"' EXIT
[ ! -e "$1" ] || { cp -p -- "$1" "$2"; chmod 600 "$2"; cp -p -- "$1" "$1.new"; }
[ -e "$1" ] || { umask 077; : >"$1.new"; }
cat >"$1.new"
[ "$(wc -c <"$1.new")" -eq "$3" ]
sync "$1.new" 2>/dev/null || sync
mv -f -- "$1.new" "$1"
"""


class Env:
    """The `.env` of one deployment."""

    def __init__(self, engine: Engine, folder: PurePosixPath) -> None:
        self._engine, self._folder = engine, folder

    @property
    def path(self) -> PurePosixPath:
        """Where it is."""
        return self._folder / ENV_FILE

    def read(self) -> EnvFile:
        """Return it, empty where there is none."""
        return read_env(self._folder, self._engine)

    def change(self, values: Mapping[str, str]) -> EnvFile:
        """Change values; comments, order and the file's rights stay. Returns it as it was. Raises QfcError."""
        before = self.read()
        self.write(before.with_values(values))
        return before

    def write(self, file: EnvFile) -> None:
        """Replace it; a copy of the old one is beside it, for its owner alone."""
        content = file.text.encode("utf-8", errors="surrogateescape")
        argv = ["sh", "-c", _REPLACE, "sh", str(self.path), str(self._folder / BEFORE), str(len(content))]
        try:
            self._engine.run(argv, stdin=content)
        except (CommandError, NotFoundError) as error:
            raise QfcError(f"{self.path} cannot be written.", hint="Check free space, owner and rights.") from error
