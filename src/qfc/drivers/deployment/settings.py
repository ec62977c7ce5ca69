"""A deployment's `.env` as the port has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..env_file import EnvFile
from ..runtimes.compose.env import Env


class EnvSettings:
    """Reads and changes `.env`; `changed` is told when the deployment may be another one afterwards."""

    def __init__(self, env: Env, changed: Callable[[], None]) -> None:
        self._env, self._changed = env, changed

    def text(self) -> str:
        """Return the file as it is."""
        return self._env.read().text

    def values(self) -> Mapping[str, str]:
        """Return its values by their names."""
        return self._env.read().values

    def change(self, values: Mapping[str, str]) -> None:
        """Change values; comments and order stay, and a copy of the old file beside it."""
        self._env.change(values)
        self._changed()

    def restore(self, text: str) -> None:
        """Replace the file, unless it is just that already."""
        if self.text() != text:
            self._env.write(EnvFile(text, str(self._env.path)))
            self._changed()

    def changed_since(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        """Return which of these names had another value in an earlier `.env`; those it had not are left out."""
        before, now = EnvFile(text, "the .env of then").values, self.values()
        return tuple(name for name in names if before.get(name) and before[name] != now.get(name))

    def has_other_names(self, text: str) -> bool:
        """Tell whether another `.env` has other names than this one."""
        return set(EnvFile(text, "the .env of then").values) != set(self.values())

    def missing_for(self, text: str) -> tuple[str, ...]:
        """Return the names that an `.env.example` has and this file has not."""
        return tuple(sorted(set(EnvFile(text, ".env.example").values) - set(self.values())))
