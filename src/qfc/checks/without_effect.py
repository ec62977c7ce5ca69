"""Lines of `.env` that nothing reads: the release has the setting somewhere else, or not at all."""

from __future__ import annotations

import re

from ..errors import QfcError
from .base import DeploymentCheck, Severity
from .evidence import Evidence, named
from .releases import compose_text

#: Settings that operators write to `.env`, by what changes them instead.
ELSEWHERE = {
    **dict.fromkeys(
        ("WORKER_QGIS_MEMORY_LIMIT", "WORKER_QGIS_CPU_SHARES", "WORKER_TIMEOUT_S", "STATUS_PAGE_URL",
         "JOBS_LOGS_RETENTION_PERIOD_DAYS"),
        "the admin, under Config",
    ),
    "QFIELDCLOUD_WORKER_TIMEOUT_S": "WORKER_TIMEOUT_S in the admin, before v26.24",
    "NGINX_ALLOW_HTTP": "NGINX_ALLOW_INTERNAL_HTTP, since v26.8",
    "NGINX_ALLOW_INTERNAL_HTTP": "nothing, before v26.8",
    "CSRF_TRUSTED_ORIGINS": "nothing: let the outer proxy pass Host and X-Forwarded-Proto: https",
}  # fmt: skip


class WithoutEffect(DeploymentCheck):
    """D05, D04, B07, B01: an operator believes that a setting is in force."""

    id = "D05-env"
    problems = ("D05",)
    title = "Lines of .env have no effect"
    severity = Severity.INFO
    fix = "Change these settings where the release has them, then remove the lines"

    def look(self, seen: Evidence) -> str | None:
        """Look for known names that no Compose file passes on to a service."""
        written = [name for name in ELSEWHERE if seen.settings().get(name)]
        if not written:
            return None
        text = compose_text(seen)
        if not text.strip():
            raise QfcError("The deployment's files cannot be read: they tell which lines services get.")
        # `env_file` passes everything on; a file of the operator may read what no release reads.
        if re.search(r"^\s+env_file:", text, re.MULTILINE):
            return None
        unread = [name for name in written if not re.search(rf"\b{name}\b", text)]
        return f"Nothing reads {named(f'{name} (use {ELSEWHERE[name]})' for name in unread)}." if unread else None
