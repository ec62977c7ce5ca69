"""An upgrade of an embedded stack: what it replaces, and the way back to the release before."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from .... import __version__
from ....files import keep_file
from ....stack.node_release import NodeRelease
from ....stack.ports import Clock, Upgrades
from ...footprint import folder_bytes
from ...postgres.connection import connect_to
from ...postgres.swap import NEW, DatabaseSwap
from ...postgres_server import Installation, data_major, is_ready, locate
from ...postgres_upgrade import renew_cluster
from ...service_account import service_account
from . import database, orphans, state
from .layout import MARK
from .lifecycle import Lifecycle
from .observe import serves_well
from .programs import APP, DATABASE, WORKER, base_environment, operation_mark, service_of
from .runtime import EmbeddedRuntime
from .supervisor import Supervisor, launch

#: How the database, and the files beside it, are called that an upgrade keeps.
KEPT = "_qfc_before"
BEFORE, RENEWED = ".before-upgrade", ".upgraded"
#: Bytes that an upgrade needs besides a copy of the database.
ROOM = 200_000_000
ASK_S = 60
#: Prints the release of the package that a Python has.
RELEASE = "import qfc; print(qfc.__version__)"


class EmbeddedUpgrades(Upgrades):
    """The processes, the database and the settings of an embedded stack.

    The database is kept as a copy in the same server or, if the server's major release changes, as its whole folder.
    """

    def __init__(self, runtime: EmbeddedRuntime, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock
        self._layout, self._settings = runtime.layout, runtime.settings
        self._swap = DatabaseSwap(self._connect)
        self._kept_folder = self._layout.database.with_name(self._layout.database.name + BEFORE)
        self._renewed = self._layout.database.with_name(self._layout.database.name + RENEWED)

    def present(self) -> NodeRelease | None:
        return self._release_in(self._layout.supervisor_conf)

    def installed(self) -> NodeRelease:
        found = self._newest()
        return NodeRelease(__version__, found.major if found else None, sys.executable)

    def room_bytes(self) -> int:
        return ROOM + (folder_bytes(self._layout.database) if self._has_own_server else 0)

    def remember(self) -> None:
        for path in (self._layout.supervisor_conf, self._layout.state):
            if path.exists():
                keep_file(_before(path), path.read_bytes(), mode=0o600)

    def renew_database(self) -> None:
        newest = self._newest()
        if newest is None or newest.major == data_major(self._layout.database):
            self._copy_database()
            return
        self._runtime.stop(None)
        self._move_to(newest)

    def start_hidden(self) -> None:
        path = self._layout.state
        current = state.read(path)
        state.write(path, replace(current, port=None, workers=current.workers or (1,)))
        hidden = replace(self._settings, port=state.ANY_PORT, workers=None, known=None)
        runtime = EmbeddedRuntime(hidden, clock=self._clock, idle_workers=lambda: frozenset())
        runtime.stop(None)
        runtime.start(None)

    def database_back(self) -> None:
        orphans.sweep_operations(self._layout)
        orphans.end_servers(self._renewed)
        self._runtime.stop(None, now=True)
        if self._kept_folder.exists():
            shutil.rmtree(self._renewed, ignore_errors=True)
            if self._layout.database.exists():
                self._layout.database.rename(self._renewed)
            self._kept_folder.rename(self._layout.database)
        shutil.rmtree(self._renewed, ignore_errors=True)
        self._serve()
        self._swap.take_back(self._name, kept=KEPT)
        self._swap.drop(self._name + NEW)
        self._runtime.stop(None, now=True)

    def settings_back(self) -> None:
        kept = _before(self._layout.state)
        if kept.exists():
            keep_file(self._layout.state, kept.read_bytes())

    def restart_before(self) -> bool:
        kept = _before(self._layout.supervisor_conf)
        release = self._release_in(kept)
        if release is None or not _is_installed(release):
            return False
        self._runtime.stop(None, now=True)
        keep_file(self._layout.supervisor_conf, kept.read_bytes(), mode=0o600)
        supervisor = Supervisor(self._layout.supervisor_socket)
        environment = {**base_environment(os.environ), MARK: str(self._layout.folder)}
        launch(self._layout.supervisor_conf, supervisor, environment=environment, program=release.program)
        self._start_all(supervisor)
        return True

    def settle(self) -> None:
        if self._has_own_server:
            shutil.rmtree(self._kept_folder, ignore_errors=True)
            shutil.rmtree(self._renewed, ignore_errors=True)
        self._swap.drop(self._name + KEPT)
        self.forget()

    def forget(self) -> None:
        for path in (self._layout.supervisor_conf, self._layout.state):
            _before(path).unlink(missing_ok=True)

    def _start_all(self, supervisor: Supervisor) -> None:
        """Start what supervisord has, in order, without a word about what it should have."""
        lifecycle = Lifecycle(self._layout, supervisor, self._clock)
        names = list(supervisor.processes())
        if DATABASE in names:
            lifecycle.start([DATABASE], ready=lambda: is_ready(self._layout.database))
        lifecycle.start([APP], ready=lambda: serves_well(supervisor.processes()[APP].pid, self._runtime.url))
        lifecycle.start([name for name in names if service_of(name) == WORKER])

    def _copy_database(self) -> None:
        """Keep a copy under a name that says that it is whole: the one that is being copied has another."""
        self._swap.copy(self._name + NEW, of=self._name)
        self._swap.rename(self._name + NEW, self._name + KEPT)
        self._swap.open(self._name)

    def _move_to(self, newest: Installation) -> None:
        account = service_account()
        renew_cluster(
            database.installation(self._layout, self._settings),
            newest.prepare_for(account, self._settings.home),
            self._layout.database,
            self._renewed,
            sockets=self._layout.database_sockets,
            account=account,
            user=database.USER,
            password=database.endpoint(self._layout, self._settings).password,
            environment=operation_mark(self._layout.folder),
        )
        self._layout.database.rename(self._kept_folder)
        self._renewed.rename(self._layout.database)

    def _newest(self) -> Installation | None:
        """Return the newest server that is installed, of which the data may become; None for one elsewhere."""
        if not self._has_own_server:
            return None
        major = data_major(self._layout.database)
        present = locate(self._settings.postgres_bin, major=major)
        newest = locate(self._settings.postgres_bin)
        return present if major is not None and newest.major < major else newest

    def _release_in(self, conf: Path) -> NodeRelease | None:
        """Return the release that a configuration of supervisord starts."""
        try:
            sections = configparser.RawConfigParser(strict=False)
            sections.read_string(conf.read_text(encoding="utf-8"))
            section = sections[f"program:{APP}"]
        except (OSError, configparser.Error, KeyError):
            return None
        version = re.search(r'QFC_NODE_RELEASE="([^"]*)"', section.get("environment", ""))
        program = shlex.split(section["command"].replace("%%", "%"))[0]
        major = data_major(self._layout.database) if self._has_own_server else None
        return NodeRelease(version[1] if version else "?", major, program)

    def _serve(self) -> None:
        if self._has_own_server:
            self._runtime.start([DATABASE])

    @property
    def _has_own_server(self) -> bool:
        return self._settings.database_url_file is None

    @property
    def _name(self) -> str:
        return self._runtime.endpoint().database

    def _connect(self, name: str) -> psycopg.Connection[Any]:
        target = self._runtime.endpoint()
        return connect_to(host=target.host, port=target.port, user=target.user, password=target.password, dbname=name)()


def _before(path: Path) -> Path:
    return path.with_name(path.name + BEFORE)


def _is_installed(release: NodeRelease) -> bool:
    """Return whether a release that is not ours is still where it was."""
    if release.program == sys.executable:
        return False
    try:
        done = subprocess.run(
            [release.program, "-c", RELEASE], cwd="/", capture_output=True, text=True, timeout=ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == release.version
