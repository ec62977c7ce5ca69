"""One call of `qfc`: the flags that every command accepts, and what is derived from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import Writer
from .progress import ProgressLine

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
    backup: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _ports: Ports | None = None
    _others: list[Ports] = field(default_factory=list["Ports"])

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
            from ..config import AuditConfig, BackupConfig

            found = self.config
            backup, log = replace(found.table(BackupConfig), **self.backup), found.table(AuditConfig).file
            self._ports = wiring.wire(found.stack(), backup, log)
        return self._ports

    def use_backup(self, settings: Mapping[str, Any]) -> None:
        """Use other settings of backups from here on, which the configuration is about to have."""
        self.close()
        self.backup = settings

    def other(self, name: str) -> Ports:
        """Return the ports of another configured stack. Raises ConfigError."""
        from .. import config, wiring
        from ..config import AuditConfig, BackupConfig

        found = config.load(os.environ, stack=name, here=Path.cwd())
        self._others.append(wiring.wire(found.stack(), found.table(BackupConfig), found.table(AuditConfig).file))
        return self._others[-1]

    def with_backups_in(self, folder: Path) -> Ports:
        """Return the ports of the selected stack, with its sets in a folder. Raises ConfigError."""
        from .. import wiring
        from ..config import AuditConfig, BackupConfig

        found = self.config
        backup = replace(found.table(BackupConfig), folder=folder, bucket_file=None)
        self._others.append(wiring.wire(found.stack(), backup, found.table(AuditConfig).file))
        return self._others[-1]

    def close(self) -> None:
        """Close what the ports hold open."""
        for ports in (*self._others, *([self._ports] if self._ports else [])):
            ports.close()
        self._others.clear()
        self._ports = None

    @property
    def options(self) -> Options:
        """The operator's options for a change, for `guarded`."""
        from ..operations.guard import Options

        ask = self._ask if sys.stdin.isatty() and not self.json else None
        return Options(self.yes, self.dry_run, self.wait_s, ask, self.progress.step, self.progress)

    @cached_property
    def progress(self) -> ProgressLine:
        """What is shown while a command works."""
        return ProgressLine(sys.stderr, quiet=self.quiet, stack=self.stack)

    def _ask(self, question: str) -> bool:
        self.progress.clear()
        return click.confirm(question, err=True)

    @property
    def writer(self) -> Writer:
        """Where the result goes."""
        return Writer(as_json=self.json, quiet=self.quiet, stack=self.stack)


pass_session = click.make_pass_decorator(Session, ensure=True)
