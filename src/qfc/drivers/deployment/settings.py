"""A deployment's `.env`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...stack.env_file import EnvFile
from ...stack.ports import Settings
from ..runtimes.compose.env import Env


class EnvSettings(Settings):
    """Reads and changes `.env`; `changed` is called after a change, since the deployment's plan may differ."""

    def __init__(self, env: Env, changed: Callable[[], None]) -> None:
        self._env, self._changed = env, changed

    def text(self) -> str:
        return self._env.read().text

    def values(self) -> Mapping[str, str]:
        return self._env.read().values

    def change(self, values: Mapping[str, str]) -> None:
        self._env.change(values)
        self._changed()

    def restore(self, text: str) -> None:
        """Replace the text of the file, unless it is the same already."""
        if self.text() != text:
            self._env.write(EnvFile(text, str(self._env.path)))
            self._changed()

    def changed_since(self, text: str, names: Sequence[str]) -> tuple[str, ...]:
        before, now = EnvFile(text, "the earlier .env").values, self.values()
        return tuple(name for name in names if before.get(name) and before[name] != now.get(name))

    def has_other_names(self, text: str) -> bool:
        return set(EnvFile(text, "the earlier .env").values) != set(self.values())

    def missing_for(self, text: str) -> tuple[str, ...]:
        return tuple(sorted(set(EnvFile(text, ".env.example").values) - set(self.values())))
