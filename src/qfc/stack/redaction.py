"""Removes private data from a text: secrets, users, names of servers and projects. Pure.

Each name is replaced by a numbered one, always the same, so the text still distinguishes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import cast

#: Names of settings, also inside JSON, whose values are secrets; and those whose values name a user or a server.
SECRET_NAME = re.compile(r"SECRET|SALT|PASSWORD|PASSWD|TOKEN|CREDENTIAL|KEY|DSN", re.IGNORECASE)
PERSONAL_NAME = re.compile(r"_USER(NAME)?$|_URL$|EMAIL|HOST|STORAGES|PROVIDERS|ORIGINS")
#: Shorter values are too common as words to be replaced in a text.
SHORTEST = 4
HIDDEN = "[hidden]"
#: Matches an e-mail address, but not the account before the host in a URL.
_MAIL = re.compile(r"(?<![\w.+:/-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL), HIDDEN),
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), HIDDEN),
    (re.compile(r"(?i)\b(authorization:?\s*\w+|token|bearer)\s+[\w.~+/=-]{16,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)((?:password|passwd|secret|token|api[_-]?key|sessionid|csrftoken)[\"']?\s*[=:]\s*)[\"']?[^\s\"',;&]+"),
     rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([?&](?:x-amz-[a-z-]+|signature|awsaccesskeyid)=)[^&\s\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[address]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE), "[address]"),
)  # fmt: skip


class Redactor:
    """Removes given secrets and names from texts, and everything that looks like a secret or an address."""

    def __init__(self, secrets: Iterable[str], names: Mapping[str, Iterable[str]]) -> None:
        """`names` are grouped by kind: {"person": [...], "project": [...]}."""
        found: dict[str, str] = {}
        for kind, those in names.items():
            for number, name in enumerate(dict.fromkeys(those), 1):
                found.setdefault(name, f"[{kind}-{number}]")
        found |= {secret: HIDDEN for secret in secrets if len(secret) >= SHORTEST}
        # Longer names first: a name may be part of another one.
        self._found = dict(sorted(found.items(), key=lambda pair: -len(pair[0])))
        parts = (rf"(?<!\w){re.escape(name)}(?!\w)" if name[:1].isalnum() else re.escape(name) for name in self._found)
        self._names = re.compile("|".join(parts)) if self._found else None

    def __call__(self, text: str) -> str:
        """Return the redacted text."""
        text = _MAIL.sub("[e-mail]", text)
        if self._names is not None:
            text = self._names.sub(lambda found: self._found[found[0]], text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text


def is_shareable(name: str) -> bool:
    """Return whether the value of a setting may be shown."""
    return not SECRET_NAME.search(name) and not PERSONAL_NAME.search(name)


def secrets_of(values: Mapping[str, str]) -> list[str]:
    """Return the secrets among settings, including those inside JSON."""
    found = [value for name, value in values.items() if SECRET_NAME.search(name)]
    for value in values.values():
        if value.lstrip().startswith(("{", "[")):
            found += _inside(value)
    return found


def _inside(text: str) -> list[str]:
    try:
        document: object = json.loads(text)
    except ValueError:
        # It cannot be parsed, so all of it counts as secret.
        return [text]
    return _leaves(document, hidden=False)


def _leaves(part: object, *, hidden: bool) -> list[str]:
    match part:
        case dict():
            pairs = cast("dict[str, object]", part).items()
            return [one for name, value in pairs for one in _leaves(value, hidden=bool(SECRET_NAME.search(name)))]
        case list():
            return [one for value in cast("list[object]", part) for one in _leaves(value, hidden=hidden)]
        case _:
            return [str(part)] if hidden else []
