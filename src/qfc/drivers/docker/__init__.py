"""Docker's engine on a stack's host, driven by the `docker` program that is there.

engine.py       runs docker; its errors become ours
containers.py   what `docker inspect` says of a container
snapshot.sh         everything that a status needs, in one script and so in one round trip
look.py         reads what the script prints
restarts.py     how often containers were started again, remembered longer than the engine does
images.py       images: which a deployment has, and what is done with them
reaching.py     whether addresses answer, from the host and from inside containers
job_folders.py  folders that jobs left on the host
"""

from __future__ import annotations

from .containers import Container
from .engine import Engine

__all__ = ["Container", "Engine"]
