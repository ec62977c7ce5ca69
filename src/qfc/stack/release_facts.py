"""What holds in the release of a deployment, told by its own files: versions and tags may lie, or be missing.

The files are its Compose files, its `.env.example` and the templates of its nginx. Each rule names the variable or the
service that came or went with the change, and the release of the change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Variables by which nginx answers workers without TLS. The second one is in no official release.
INTERNAL_HTTP, ALLOW_HTTP = "NGINX_ALLOW_INTERNAL_HTTP", "NGINX_ALLOW_HTTP"
TIMEOUT = "QFIELDCLOUD_WORKER_TIMEOUT_S"
TIMEOUT_S = 600.0
LOGIN = "QFIELDCLOUD_PASSWORD_LOGIN_IS_ENABLED"
#: Variables that the application reads as 0 or 1 at its start, since v26.4: nothing else will do.
FLAGS = ("DEBUG", "DJANGO_USE_X_FORWARDED_HOST", "QFIELDCLOUD_USE_I18N", LOGIN, "CORS_ALLOW_CREDENTIALS")
#: Earlier releases read some of them as whole numbers.
NUMBERS_BEFORE = ("DEBUG", "QFIELDCLOUD_USE_I18N", LOGIN)
NUMBERS = ("QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS", TIMEOUT)
#: Without these, the application finds no database, waits for it, and ends.
NEEDED = ("POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER")
#: From where nginx takes http, unless its template says otherwise.
INTERNAL_NETWORKS = ("172.16.0.0/12",)
_FLAG = re.compile(r"[01]")
_NUMBER = re.compile(r"\s*[+-]?\d+\s*")
_FRACTION = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*", re.I)
_GEO = re.compile(r"^geo\s+\$\w*internal\w*\s*\{(.*?)\}", re.DOTALL | re.MULTILINE)
_NETWORK = re.compile(r"^\s*([0-9a-fA-F.:]+/\d+)\s+1\s*;", re.MULTILINE)


#: By the name of a fact: what holds, from which release or until which, and what in the files tells it.
TOLD: Mapping[str, tuple[str, str, str]] = {
    "compares_port": ("The application refuses downloads by another port than WEB_HTTPS_PORT", "before v25.27",
                      "GEODB_* or the service geodb, which went at the same time"),
    "refuses_empty": ("Flags are 0 or 1, and every other value ends the start; before, some were whole numbers",
                      "v26.4", "OBJECT_STORAGE_*, which came at the same time"),
    "has_internal_http": ("nginx can answer workers by http", "v26.8", f"{INTERNAL_HTTP}"),
    "internal_networks": ("… from these networks alone", "v26.8", "the block geo in nginx's template; without it"
                          f" {', '.join(INTERNAL_NETWORKS)}"),
    "allows_http": ("nginx answers workers by http", "in no official release", f"{ALLOW_HTTP}"),
    "has_timeout_in_env": ("The time limit of jobs is a variable; before, it was a setting of the admin", "v26.24",
                           f"{TIMEOUT}"),
}  # fmt: skip


@dataclass(frozen=True)
class ReleaseFacts:
    """What holds in a release.

    `has_internal_http`: nginx may answer workers by http (since v26.8), from `internal_networks`. `allows_http`: nginx
    reads NGINX_ALLOW_HTTP, as those of other makers do. `compares_port`: the application refuses downloads by another
    port than WEB_HTTPS_PORT (before v25.27, which also dropped the second PostGIS).
    `has_timeout_in_env`: the time limit of jobs is a variable (since v26.24), no stored setting. `refuses_empty`: flags
    are 0 or 1 and nothing else (since v26.4, which also renamed the variables of the object store).
    """

    has_internal_http: bool
    allows_http: bool
    compares_port: bool
    has_timeout_in_env: bool
    refuses_empty: bool
    internal_networks: tuple[str, ...] = INTERNAL_NETWORKS


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
        internal_networks=_internal_networks(text),
    )


def _internal_networks(text: str) -> tuple[str, ...]:
    found = _GEO.search(text)
    return tuple(_NETWORK.findall(found[1])) or INTERNAL_NETWORKS if found else INTERNAL_NETWORKS


def refused_values(
    values: Mapping[str, str],
    bare: frozenset[str],
    defaulted: frozenset[str] = frozenset(),
    *,
    are_flags_strict: bool = True,
) -> Mapping[str, str]:
    """Return, by name, why the application would end at its start.

    `bare` are the variables that Compose passes on without a default: empty where they are not set; `defaulted` have
    one.
    """
    kinds = (
        (FLAGS if are_flags_strict else (), _FLAG, "0 or 1"),
        (() if are_flags_strict else _numbers_before(bare | defaulted), _NUMBER, "a whole number"),
        (NUMBERS, _NUMBER, "a whole number"),
        (("SENTRY_SAMPLE_RATE",) if values.get("SENTRY_DSN") else (), _FRACTION, "a number"),
    )
    told: dict[str, str] = {}
    for names, pattern, wanted in kinds:
        for name in names:
            value = values.get(name, "")
            is_passed = name in bare or (name in defaulted and value != "")
            if is_passed and not pattern.fullmatch(value):
                told[name] = f"{value or 'empty'}, not {wanted}"
    told |= {name: "empty" for name in NEEDED if name in bare and not values.get(name)}
    if "STORAGES" in bare and not (values.get("STORAGES", "").strip() or values.get("STORAGE_ACCESS_KEY_ID")):
        told["STORAGES"] = "empty"
    if values.get("SOCIALACCOUNT_PROVIDERS") and not _is_object(values["SOCIALACCOUNT_PROVIDERS"]):
        told["SOCIALACCOUNT_PROVIDERS"] = "no JSON object"
    return told


def _numbers_before(passed: frozenset[str]) -> tuple[str, ...]:
    """Return the flags that a release from before v26.4 reads as numbers: the first ones read DEBUG alone."""
    return NUMBERS_BEFORE if LOGIN in passed else NUMBERS_BEFORE[:1]


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
