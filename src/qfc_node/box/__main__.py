"""`python -m qfc_node.box DESCRIPTOR`: the fork server, at the other end of an open socket. Workers start it."""

from __future__ import annotations

import json
import pkgutil
import socket
import sys
from pathlib import Path
from typing import Any

from . import kernel
from .layers import Box
from .messages import Broken, Line
from .server import Server, prepare_process, warm_up


def main() -> None:
    """Build the box and serve. The arguments: a descriptor, and the settings as JSON."""
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    settings: dict[str, Any] = json.loads(sys.argv[2])
    prepare_process(settings["worker"])
    try:
        engine: Any = pkgutil.resolve_name(settings["engine"])
        warm_up(engine, network=settings["network"])
        box = Box(Path(settings["home"]), settings["without"], network=settings["network"])
        box.build()
        kernel.die_with_parent(settings["worker"])  # a new namespace takes this back
    except Exception as error:
        line.send(Broken(f"{type(error).__name__}: {error}"))
        raise
    Server(line, box, engine).serve()


if __name__ == "__main__":
    main()
