"""Removes private data from a text: secrets, users, names of servers and projects. Pure.

Each name is replaced by a numbered one, always the same, so the text still distinguishes them. Known secrets are
replaced first, then what looks like one. Redact before you cut: half a secret is not recognised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import quote, quote_plus

from .backup_key import KEY_BEGINS

#: Names of settings, also inside JSON, whose values are secrets; and those whose values name a user or a server.
SECRET_NAME = re.compile(
    r"SECRET|SALT|PASSWORD|PASSWD|PASSPHRASE|PWD|(?:^|[_-])PASS(?:$|[_-])|TOKEN|CREDENTIAL|KEY|DSN|SESSIONID|COOKIE",
    re.IGNORECASE,
)
HOSTS = re.compile(r"_URL$|HOST|DOMAIN|ORIGINS", re.IGNORECASE)
PERSONAL_NAME = re.compile(r"USER(NAME)?$|_URL$|EMAIL|HOST|DOMAIN|STORAGES|PROVIDERS|ORIGINS", re.IGNORECASE)
#: Shorter values are too common as words to be replaced in a text; from `ANYWHERE` on they are also found inside words.
SHORTEST, ANYWHERE = 4, 10
HIDDEN = "[hidden]"
_PUT_THERE = r"\[(?:hidden|e-mail|address|[a-z]+-\d+)\]"

# Nothing here takes longer than a few passes over a text: every repetition that can fail later has an upper limit.
#: What follows a name: in quotes, which may be escaped or unclosed, or up to a space.
_VALUE = r"""(?:\\*"(?:\\.|[^"\\\n])*"?|\\*'(?:\\.|[^'\\\n])*'?|[^\s&"']+)"""
_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|session_?id|(?:api|access|private|secret)[_-]?key)"
    r"[\w-]{0,64}"
)
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A key in its usual form, complete or truncated; and a part of one without its first line.
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----(?:(?:(?!-----BEGIN).)*?-----END [A-Z0-9 ]+-----|[^\n]*)", re.S), HIDDEN),
    (re.compile(r"(?<![\w/+])(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])[A-Za-z0-9+/]{60,}={0,2}(?![\w/+])"), HIDDEN),
    # Account and password of an address. A password may contain a slash, a port cannot.
    (re.compile(r"""(?<=://)[^\s/@:"'<>]{0,99}:(?!\d+(?:[/?#\s"']|$))[^\s"'<>]{1,200}(?=@)"""), HIDDEN),
    (re.compile(r"""(?<=://)[^\s/?#"'<>]{1,300}(?=@)"""), HIDDEN),
    # Headers, to the end of their line or of their quotes.
    (re.compile(r"""(?i)((?:authorization|\bcookie)\\*["']?\s*[:=,]\s*\\*["']?)[^"'\\\r\n]+"""), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(token|bearer|basic)\s+[\w.~+/=-]{16,}"), rf"\1 {HIDDEN}"),
    # Names with their values: in JSON, in Python, in a command, in an address.
    (re.compile(rf"""(?i)({_NAME}(?:["']\s*,|\\*["']?\s*(?:=>|[=:]))\s*){_VALUE}"""), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)(--?{_NAME}\s+)(?!-){_VALUE}"), rf"\1{HIDDEN}"),
    (re.compile(r"""(?i)([?&;](?:x-(?:amz|goog)-[a-z-]+|sig|signature|awsaccesskeyid)=)[^&\s"']+"""), rf"\1{HIDDEN}"),
    # How PostgreSQL reports a duplicate row.
    (
        re.compile(r"(?i)(\bkey \([^)]{0,99}(?:key|token|password|secret|session)[^)]{0,99}\)=\()[^\n]{0,999}(?=\))"),
        rf"\1{HIDDEN}",
    ),
    # Hashes of passwords; signed tokens; the key that opens the backups.
    (re.compile(r"\b(?:pbkdf2_\w+|argon2\w*|bcrypt\w*|scrypt|SCRAM-SHA-256)\$\S+|\$2[aby]\$\d\d\$[./\w]{50,}"), HIDDEN),
    (re.compile(rf"(?i){KEY_BEGINS}1[A-Z0-9]+"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
)
_ARGUMENT = re.compile(r"(-{0,2}[\w.-]+=)(.+)", re.DOTALL)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IPV4 = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.IGNORECASE)
_EXTENSIONS = (
    "qgs|qgz|qgd|gpkg(?:-wal|-shm)?|sqlite|shp|shx|dbf|prj|cpg|geojson|fgb|gml|kml|kmz|csv|tsv|tiff?|vrt|jpe?g|png|webp|heic|"
    "svg|pdf|xlsx?|docx?|odt|mp[34]|mov|wav|m4a|qml|qlr|zip|mbtiles"
)
#: What precedes and follows the host in a URL.
_AROUND_HOST = re.compile(r"^(?:[\w+.-]+://)?(?:.*@)?|[:/?#].*$")
_PASSWORD_OF_ADDRESS = re.compile(r"""://[^\s/@:"']*:([^\s"']+)@""")
_QUOTED_PAIR = re.compile(r"""["']?([\w-]+)["']?\s*[:=]\s*(?:"([^"]*)"|'([^']*)')""")


#: What names somebody although nobody listed it: home folders, files of projects, hosts that requests asked for.
_TRACES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"""((?:/home|/Users|\\Users)[/\\]+)[^/\\\s:"'<>|]{1,64}"""), r"\1[person]"),
    (
        re.compile(r"""(/files/[0-9a-f-]{36}/|/latest/files/|/thumbnails?/[0-9a-f-]{36}/)[^\s"'?]{1,4096}"""),
        r"\1[file]",
    ),
    (re.compile(rf"""(["'`])[^"'`\n]{{1,500}}\.({_EXTENSIONS})\1""", re.IGNORECASE), r"\1[file].\2\1"),
    (re.compile(rf"[^\s\"'`=:,;()\[\]<>]{{1,500}}\.({_EXTENSIONS})\b", re.IGNORECASE), r"[file].\1"),
    (
        re.compile(
            r"""(?i)((?:\b(?:http_)?host(?:name)?(?:\s+header)?|\breferr?er|\bserver_name)\\?["']?\s*[:=]\s*\\?["']?"""
            r"""(?:\w+://)?)(?!localhost\b|127\.|\[)[\w.-]{1,253}"""
        ),
        r"\1[host]",
    ),
)


def without_traces(text: str) -> str:
    """Return a text without names of files, home folders and requested hosts, for readers elsewhere."""
    for pattern, instead in _TRACES:
        text = pattern.sub(instead, text)
    return text


class Redactor:
    """Removes given secrets and names from texts, and everything that looks like a secret or an address."""

    def __init__(self, secrets: Iterable[str], names: Mapping[str, Iterable[str]]) -> None:
        """`names` are grouped by kind: {"person": [...], "project": [...]}."""
        spellings = {one for secret in secrets for one in _spellings(secret) if len(one) >= SHORTEST}
        self._secrets = _Words(dict.fromkeys(spellings, HIDDEN), anywhere=ANYWHERE)
        numbered: dict[str, str] = {}
        for kind, those in names.items():
            for number, name in enumerate(dict.fromkeys(those), 1):
                numbered.setdefault(name.lower(), f"[{kind}-{number}]")
        self._names = _Words(numbered, flags=re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return the redacted text."""
        text = _MAIL.sub("[e-mail]", self.without_secrets(text))
        return _IPV6.sub(_address, _IPV4.sub("[address]", self._names.replaced(text)))

    def without_secrets(self, text: str) -> str:
        """Return the text without secrets; names and addresses stay."""
        return without_secrets(self._secrets.replaced(text))


class _Words:
    """Words to be replaced, the longest first: one that is part of another comes after it.

    A word is not replaced inside longer ones, unless it has at least `anywhere` characters.
    """

    def __init__(self, instead: Mapping[str, str], *, anywhere: int | None = None, flags: int = 0) -> None:
        self._instead = instead
        words = sorted(filter(None, instead), key=len, reverse=True)
        parts = [_pattern(word, alone=anywhere is None or len(word) < anywhere) for word in words]
        # Earlier replacements stay, even if a user has such a name.
        self._pattern = re.compile("|".join([f"(?P<done>{_PUT_THERE})", *parts]), flags) if parts else None

    def replaced(self, text: str) -> str:
        """Return the text with the words replaced."""
        return self._pattern.sub(self._other, text) if self._pattern else text

    def _other(self, match: re.Match[str]) -> str:
        if match["done"]:
            return match[0]
        return self._instead.get(match[0]) or self._instead.get(match[0].lower(), HIDDEN)


def without_secrets(text: str) -> str:
    """Return a text without anything that looks like a secret, for messages and commands; names and addresses stay."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def command_without_secrets(argv: Sequence[str]) -> list[str]:
    """Return the words of a command without anything that looks like a secret; of NAME=value no value stays."""
    return [_ARGUMENT.sub(rf"\1{HIDDEN}", word) if _is_secret(word) else without_secrets(word) for word in argv]


def _is_secret(word: str) -> bool:
    found = _ARGUMENT.fullmatch(word)
    return found is not None and SECRET_NAME.search(found[1]) is not None


def is_shareable(name: str) -> bool:
    """Return whether the value of a setting may be shown."""
    return not SECRET_NAME.search(name) and not PERSONAL_NAME.search(name)


def shown(name: str, value: str) -> str:
    """Return the value of a setting as its operator may see it, who knows the server: without secrets."""
    return HIDDEN if SECRET_NAME.search(name) else Redactor(_inside(value), {}).without_secrets(value)


def secrets_of(values: Mapping[str, str]) -> list[str]:
    """Return the secrets among settings, including those inside JSON and URLs."""
    found = [value for name, value in values.items() if SECRET_NAME.search(name)]
    for value in values.values():
        found += _inside(value)
    return list(dict.fromkeys(found))


def hosts_of(values: Mapping[str, str]) -> list[str]:
    """Return the full names of hosts among settings: alone, in lists, in addresses."""
    named = [value for name, value in values.items() if HOSTS.search(name) and not SECRET_NAME.search(name)]
    parts = [part for value in named for part in re.split(r"[\s,]+", value)]
    hosts = [_AROUND_HOST.sub("", part).strip(".*") for part in parts]
    return [host for host in dict.fromkeys(hosts) if "." in host and not _IPV4.fullmatch(host)]


def _inside(text: str) -> list[str]:
    """Return the secrets inside a value."""
    found = _PASSWORD_OF_ADDRESS.findall(text)
    if not text.lstrip().startswith(("{", "[")):
        return found
    try:
        document: object = json.loads(text)
    except ValueError:
        # It cannot be parsed: all of it counts as secret, and so does each pair that can be recognised.
        pairs = _QUOTED_PAIR.findall(text)
        return [*found, text, *(double or single for name, double, single in pairs if SECRET_NAME.search(name))]
    return found + list(_leaves(document, hidden=False))


def _leaves(part: object, *, hidden: bool) -> Iterator[str]:
    """Yield the secrets of a document: all below a name of secrets. True, false and null are none."""
    match part:
        case dict():
            for name, value in cast("dict[str, object]", part).items():
                yield from _leaves(value, hidden=hidden or bool(SECRET_NAME.search(name)))
        case list():
            for value in cast("list[object]", part):
                yield from _leaves(value, hidden=hidden)
        case str() if hidden:
            yield part
        case str():
            yield from _inside(part)
        case int() | float() if hidden and not isinstance(part, bool):
            yield str(part)
        case _:
            pass


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it stands in texts: alone, in JSON, in Python, in an address, a line of it in a log."""
    yield from (secret, secret.strip(), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], quote(secret, safe=""), quote_plus(secret))
    parts = [part.strip() for line in secret.splitlines() for part in (line, *line.split(","))]
    yield from (part for part in parts if len(part) >= ANYWHERE)


def _pattern(word: str, *, alone: bool) -> str:
    before = r"(?<!\w)" if alone and re.match(r"\w", word) else ""
    behind = r"(?!\w)" if alone and re.search(r"\w\Z", word) else ""
    return f"{before}{re.escape(word)}{behind}"


def _address(match: re.Match[str]) -> str:
    """Return what stands for an address of IPv6. A time of day is none, and that of this machine is everybody's."""
    text = match[0]
    is_none = text in ("::", "::1") or ("::" not in text and text.count(":") < 3)
    return text if is_none else "[address]"
