"""One call of `qfc`: the flags that every command accepts, and what is derived from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import Writer

if TYPE_CHECKING:
    from ..config import Config
    from ..operations.guard import Options
    from ..stack.ports import Ports


@dataclass
class Session:
    """One call of `qfc`. Commands get it with `@pass_session`.

    `settings` overrides values of the stack's configuration (`qfc up --workers 3`); set it before `ports` is used.
    """

    stack: str | None = None
    json: bool = False
    yes: bool = False
    dry_run: bool = False
    verbose: bool = False
    quiet: bool = False
    wait_s: float = 0
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    _ports: Ports | None = None

    @property
    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        from .. import config

        return config.load(os.environ, stack=self.stack, flags=self.settings, here=Path.cwd())

    @property
    def ports(self) -> Ports:
        """The ports of the selected stack. Raises ConfigError."""
        from .. import wiring

        if self._ports is None:
            self._ports = wiring.wire(self.config.stack())
        return self._ports

    def close(self) -> None:
        """Close what the ports hold open."""
        if self._ports is not None:
            self._ports.close()
            self._ports = None

    @property
    def options(self) -> Options:
        """The operator's options for a change, for `guarded`."""
        from ..operations.guard import Options

        ask = _ask if sys.stdin.isatty() and not self.json else None
        return Options(self.yes, self.dry_run, self.wait_s, ask, lambda sentence: self.writer.remark(f"… {sentence}"))

    @property
    def writer(self) -> Writer:
        """Where the result goes."""
        return Writer(as_json=self.json, quiet=self.quiet)


pass_session = click.make_pass_decorator(Session, ensure=True)


def _ask(question: str) -> bool:
    return click.confirm(question, err=True)
