"""Parses lines of services' logs, by any program: application, PostgreSQL, nginx, gunicorn, supervisord."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from ..stack.model import LogLine

#: `2026-11-23 17:02:39.353 UTC [14446] LOG:  text`, PostgreSQL's usual prefix.
POSTGRES = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC \[\d+\] ([A-Z]+\d?):\s+(.*)")
#: `[2026-11-23 17:02:39 +0000] [123] [INFO] text`
GUNICORN = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\] \[\d+\] \[([A-Z]+)\] (.*)")
#: `2026-11-23 17:02:39,353 INFO text`; supervisord runs with TZ=UTC.
SUPERVISOR = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([A-Z]+) (.*)")
#: `2026/11/23 17:02:39 [error] 17#17: *48 text`, nginx's error log, in the container's time zone.
NGINX = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+: (.*)")
#: The notation of a job in messages of the application and official workers.
JOB = re.compile(r"\bjob[ _(]+([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE)


def parse(service: str, instance: str, line: str) -> LogLine:
    """Parse one line of a service's log."""
    if line.startswith("{"):
        try:
            return _from_json(service, instance, line)
        except (ValueError, TypeError, OverflowError):
            pass
    if match := POSTGRES.match(line):
        moment = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        return LogLine(service, instance, moment, "INFO" if match[2] == "LOG" else match[2], match[3])
    if match := GUNICORN.match(line):
        moment = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
        return LogLine(service, instance, moment, match[2], match[3])
    if match := SUPERVISOR.match(line):
        moment = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
        return LogLine(service, instance, moment, match[2], match[3])
    if match := NGINX.match(line):
        return LogLine(service, instance, None, match[1].upper(), match[2])
    return LogLine(service, instance, None, "", line, _job(line))


def _from_json(service: str, instance: str, line: str) -> LogLine:
    document: dict[str, Any] = json.loads(line)
    moment = _moment(document.get("ts"))
    if "uri" in document and "status" in document:
        return LogLine(service, instance, moment, _level_of(int(document["status"])), _request(document))
    text = str(document.get("message", line))
    if "exc_info" in document:
        text = f"{text}\n{document['exc_info']}"
    job = document.get("job_id") or _job(text)
    return LogLine(service, instance, moment, str(document.get("level", "")), text, str(job) if job else None)


def _moment(written: object) -> datetime | None:
    """Read a time; one without a time zone is ambiguous."""
    moment = datetime.fromisoformat(str(written)) if written else None
    return moment if moment is None or moment.tzinfo else None


def _job(text: str) -> str | None:
    found = JOB.search(text)
    return found[1] if found else None


def _request(document: dict[str, Any]) -> str:
    """Return a request in nginx's log in readable form."""
    waited = f"{float(document.get('resp_time') or 0):.3f} s"
    upstream = document.get("upstream_response_time")
    words = [document.get("method", ""), document["status"], document["uri"], waited]
    words += [f"(app {upstream} s)"] if upstream not in (None, "", "-") else []
    words += [f"{document.get('resp_body_size', 0)} bytes", document.get("ip", ""), document.get("user_agent", "")]
    return " ".join(str(word) for word in words if word not in ("", None))


def _level_of(status: int) -> str:
    return "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO"
