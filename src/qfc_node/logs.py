"""Log one JSON object per line to standard error, with the keys of the official server's log."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from . import environment

#: Id of the current request; the response contains it as `X-Request-Id`.
request_id: ContextVar[str] = ContextVar("request_id", default="none")


class JsonFormatter(logging.Formatter):
    """Formats a record as `{"ts", "level", "name", "message", "request_id", "filename", "lineno", "source", …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, Any] = {
            "request_id": request_id.get(),
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "name": record.name,
            "message": record.getMessage(),
            "filename": record.filename,
            "lineno": record.lineno,
            "source": environment.text("LOGGER_SOURCE", "app"),
        }
        job_id = getattr(record, "job_id", None)
        if job_id is not None:
            line["job_id"] = str(job_id)
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
