"""Which repairs the monitor does without anybody's consent. Every other safe one waits for `qfc doctor --fix`.

A repair is done alone if nobody can miss what it changes, it takes seconds, and the same fault cannot be its result:
what is down is started, what is dead gives its work back, what is stale is read again.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What each of these repairs does, by the id of its check. What others depend on comes first.
ALONE: Mapping[str, str] = {
    "C02-down": "start the file store",
    "A11": "start the services that are down",
    "A11-cache": "start the cache",
    "D11": "start the workers",
    "D11-few": "start the missing workers",
    "D07": "requeue jobs whose workers died before they began",
    "D08": "requeue jobs whose workers died",
    "B14-nginx": "restart nginx, which holds no data, to find the application again",
    "B10": "let nginx read the renewed certificate",
    "D08-cron": "restart the service of periodic tasks, which holds no data",
}

_ROOM = "it needs disk space and time that only an operator can judge"
_SETTING = "it changes .env and recreates services"
_SCHEDULED = "it is maintenance, which has its own time"
#: Why the other safe repairs are not done alone, by the id of their check.
NOT_ALONE: Mapping[str, str] = {
    "A13-new": "a database without tables is a set-up or a loss of data, never an outage",
    "A06": _SETTING,
    "B04": _SETTING,
    "A10-new": _SETTING,
    "D01-network": _SETTING,
    "E01-images": _SETTING,
    "A11-policy": "the running server needs nothing; the next start of the host does",
    "D02": _ROOM,
    "I05": _ROOM,
    "I05-old": _ROOM,
    "E09": "a retried job may fail for the same reason again",
    "sessions": _SCHEDULED,
    "cron-log": _SCHEDULED,
    "protection": "what somebody removed on purpose must not come back by itself",
    "rate-limits": "it changes nginx, in front of everything",
    "C14": _SCHEDULED,
    "D15-log": "it is a rescue of logs that an operator wants to read first",
    "B18": "a certificate that nobody signed keeps devices out: only an operator knows the right one",
    "A03-log": "collecting files of another release would hide what went wrong with the deployment",
    "A03": "collecting files of another release would hide what went wrong with the deployment",
}
