"""An embedded stack for tests and benchmarks, run only through the command line, like an operator does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from ports import free_port

NAME = "test"
#: As in an official deployment.
USER, DATABASE = "qfieldcloud_db_admin", "qfieldcloud_db"


class Stack:
    """An embedded stack, run by the suite as an operator would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.environment = {**os.environ, "QFC_HOME": str(home), "QFC_CONFIG": str(home / "config.toml")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/"

    def qfc(self, *arguments: str, stdin: str = "", check: bool = True) -> Any:
        argv = [sys.executable, "-m", "qfc", "--json", "--yes", *arguments]
        done = subprocess.run(argv, env=self.environment, input=stdin, capture_output=True, text=True, timeout=300)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def pids(self, service: str) -> list[int]:
        status = self.qfc("status", check=False)
        services = {item["name"]: item for item in status.get("services", [])}
        return [one["pid"] for one in services.get(service, {}).get("instances", []) if one.get("pid")]

    def client(self) -> httpx.Client:
        """Return an HTTP client whose base is the API's root."""
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def database(self) -> psycopg.Connection:
        password = (self.home / NAME / "secrets" / "POSTGRES_PASSWORD").read_text().strip()
        host = str(self.home / NAME / "run" / "db")
        return psycopg.connect(host=host, user=USER, password=password, dbname=DATABASE, autocommit=True)


@contextmanager
def running_stack(*, workers: int) -> Generator[Stack]:
    """Run a stack in a new folder until the block ends."""
    with tempfile.TemporaryDirectory(prefix="qfc-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        with running_stack_in(Path(name), workers=workers) as stack:
            yield stack


@contextmanager
def running_stack_in(home: Path, *, workers: int) -> Generator[Stack]:
    """Run a stack below `home`, which must have a path as short as those in /tmp, until the block ends."""
    stack = Stack(home)
    stack.qfc("init", NAME, "--kind", "embedded", "--workers", str(workers), "--port", str(stack.port))
    try:
        stack.qfc("up")
        yield stack
    finally:
        stack.qfc("down", "--now", check=False)
