"""The Compose runtime: an official deployment, here or on a server. `runtime.py` implements the port.

deployment.py   identifying the deployment: folder and project
program.py      the Compose of the host, and its commands
plan.py         what the deployment should run
observer.py     what it runs: one snapshot, shared by all callers within a moment
services.py     services, derived from plan and snapshot
workload.py     the queue and the workers, from the snapshot or the database
lifecycle.py    starting, stopping, recreating
holding.py      the jobs that workers hold
draining.py     workers that finish their jobs
rollout.py      the containers during a change of release
env.py          reading and changing .env
logs.py         the logs of containers
inspection/     everything that only a diagnosis reads
"""

from __future__ import annotations

from .deployment import ComposeConfig, ComposeProject
from .observer import Observer
from .runtime import ComposeRuntime

__all__ = ["ComposeConfig", "ComposeProject", "ComposeRuntime", "Observer"]
