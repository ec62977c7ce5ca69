"""The Compose runtime: an official deployment, here or on a server. `runtime.py` is the port, the rest its parts.

deployment.py   which deployment is meant: folder and project
program.py      which Compose the host has, and what is typed to it
plan.py         what the deployment should run
observer.py     what it runs: one look, shared by all who ask within a moment
services.py     from both to services
lifecycle.py    starting, stopping, making anew
draining.py     workers that finish what they hold
env.py          reading and changing .env
logs.py         the logs of containers
inspection.py   the closer look of a diagnosis
"""

from __future__ import annotations

from .deployment import ComposeConfig, ComposeProject
from .observer import Observer
from .runtime import ComposeRuntime

__all__ = ["ComposeConfig", "ComposeProject", "ComposeRuntime", "Observer"]
