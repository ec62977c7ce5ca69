"""Gunicorn's configuration, the same for the embedded node, its containers and the tests.

Address, number of processes and threads, and times come from the command line.
"""

from __future__ import annotations

import gc
from typing import Any

worker_class = "qfc_node.serving.worker.Worker"
wsgi_app = "qfc_node.wsgi:application"
#: The code is loaded once and shared by the processes.
preload_app = True
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """Leave what is loaded now to all processes alike: a collector that looks at it would copy its pages into each."""
    gc.collect()
    gc.freeze()
