"""A real WebDAV server for tests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from node import await_port
from ports import free_port
from qfc.drivers.objects.webdav import WebDav

USER, PASSWORD = "qfc", "dav-secret"


@contextmanager
def webdav_server(folder: Path) -> Generator[WebDav]:
    """Serve a folder on loopback until the block ends."""
    port = free_port()
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "server": "cheroot",
        "provider_mapping": {"/": str(folder)},
        "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
    }
    program, quiet = Path(sys.executable).with_name("wsgidav"), subprocess.DEVNULL
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(settings, config)
        config.flush()
        argv = [str(program), "--config", config.name, "--quiet"]
        process = subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet)
        try:
            await_port(port)
            yield WebDav(f"http://127.0.0.1:{port}", USER, PASSWORD)
        finally:
            process.terminate()
            process.wait()
