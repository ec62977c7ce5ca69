"""A registry of images on this machine, as Debian packages it: what is pushed there can be pulled again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node import await_port, end
from ports import free_port
from requirements import require

CONFIGURATION = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def image_registry(folder: Path) -> Iterator[str]:
    """Run one below a folder; yield the prefix of its images' names. The engine trusts loopback."""
    program = shutil.which("docker-registry")
    require("registry", program is not None, "docker-registry is not installed")
    port = free_port()
    path = folder / "registry.yml"
    path.write_text(CONFIGURATION.format(folder=folder, port=port))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([str(program), "serve", str(path)], stdout=log, stderr=log, start_new_session=True)
    try:
        await_port(port)
        yield f"127.0.0.1:{port}"
    finally:
        end(process, signal.SIGTERM)
