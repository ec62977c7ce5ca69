"""What holds in the release of a deployment, told by its own files: versions and tags may lie, or be missing.

The files are its Compose files, its `.env.example` and the templates of its nginx. Each rule names the variable or the
service that came or went with the change, and the release of the change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Variables by which nginx answers workers without TLS. The second one is in no official release.
INTERNAL_HTTP, ALLOW_HTTP = "NGINX_ALLOW_INTERNAL_HTTP", "NGINX_ALLOW_HTTP"
TIMEOUT = "QFIELDCLOUD_WORKER_TIMEOUT_S"
TIMEOUT_S = 600.0
#: Variables that the application of v26.4 and later reads as 0 or 1, and as a whole number, at its start.
FLAGS = ("DEBUG", "DJANGO_USE_X_FORWARDED_HOST", "QFIELDCLOUD_USE_I18N", "QFIELDCLOUD_PASSWORD_LOGIN_IS_ENABLED",
         "CORS_ALLOW_CREDENTIALS")  # fmt: skip
NUMBERS = ("QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS", TIMEOUT)
_FLAG = re.compile(r"[01]|true|false", re.I)
_NUMBER = re.compile(r"\s*[+-]?\d+\s*")


@dataclass(frozen=True)
class ReleaseFacts:
    """What holds in a release.

    `has_internal_http`: nginx may answer workers by http, and hangs up on the host name nginx (since v26.8).
    `allows_http`: nginx reads NGINX_ALLOW_HTTP, as those of other makers do. `compares_port`: the application refuses
    downloads by another port than WEB_HTTPS_PORT (before v25.27, which also dropped the second PostGIS).
    `has_timeout_in_env`: the time limit of jobs is a variable (since v26.24), no stored setting. `refuses_empty`: an
    empty or wrong value ends the start (since v26.4, which also renamed the variables of the object store).
    """

    has_internal_http: bool
    allows_http: bool
    compares_port: bool
    has_timeout_in_env: bool
    refuses_empty: bool


def facts_of(text: str) -> ReleaseFacts | None:
    """Return the facts that a deployment's files tell; None without any text."""
    if not text.strip():
        return None
    return ReleaseFacts(
        has_internal_http=INTERNAL_HTTP in text,
        allows_http=ALLOW_HTTP in text,
        compares_port=re.search(r"\bGEODB_|^\s+geodb:", text, re.MULTILINE) is not None,
        has_timeout_in_env=TIMEOUT in text,
        refuses_empty="OBJECT_STORAGE_" in text,
    )


def refused_values(
    values: Mapping[str, str], bare: frozenset[str], defaulted: frozenset[str] = frozenset()
) -> Mapping[str, str]:
    """Return, by name, why the application would end at its start.

    `bare` are the variables that Compose passes on without a default: empty where they are not set; `defaulted` have
    one.
    """
    told: dict[str, str] = {}
    for names, pattern, wanted in ((FLAGS, _FLAG, "0 or 1"), (NUMBERS, _NUMBER, "a whole number")):
        for name in names:
            value = values.get(name, "")
            is_passed = name in bare or (name in defaulted and value != "")
            if is_passed and not pattern.fullmatch(value):
                told[name] = f"{value or 'empty'}, not {wanted}"
    if "STORAGES" in bare and not values.get("STORAGES", "").strip():
        told["STORAGES"] = "empty"
    return told
