"""Docker's engine on a stack's host, controlled with the `docker` program of the host.

engine.py       runs docker and translates its errors
containers.py   a container as `docker inspect` describes it
snapshot.sh     everything that a status needs, in one script and so in one round trip
snapshot.py     reads the output of the script
restarts.py     restarts of containers, remembered longer than the engine does
images.py       the images of a deployment
reaching.py     requests to other servers, from the host and from inside containers
job_folders.py  folders that jobs left on the host
"""

from __future__ import annotations

from .containers import Container
from .engine import Engine

__all__ = ["Container", "Engine"]
