"""The page of configuration: the keys of the suite's file, its variables, and the variables of the node.

The suite's settings and their meanings come from `qfc.config`, the node's variables and their defaults from the calls
in `qfc_node/settings.py`. The meaning of each variable of the node is here; a variable without a meaning, or a meaning
without a variable, is an error.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qfc.config.places import VARIABLES
from qfc.config.schema import settings_of, variable_of
from qfc.config.tables import NODE, TABLES, StackConfig, Top
from qfc.drivers.hosts.ssh.password import PASSWORD_VARIABLES
from qfc.drivers.postgres_server import Endpoint
from qfc.drivers.runtimes.embedded import state
from qfc.drivers.runtimes.embedded.layout import Layout
from qfc.drivers.runtimes.embedded.programs import INHERITED, node_environment
from qfc_node.core.deltafile import DEFAULTS

from .markdown import table

FOLDER = "folder"
#: The meaning of each variable of the node.
NODE_VARIABLES: Mapping[str, str] = {
    "SECRET_KEY": "Key that signs sessions and encrypts projects' secrets. Without it stored secrets are unreadable.",
    "DEBUG": "Django's debugging pages. Never on a server that others reach.",
    "QFIELDCLOUD_HOST": "Name that clients use for the server; accepted in `Host`.",
    "DJANGO_ALLOWED_HOSTS": "More accepted names, separated by spaces. `localhost` is always accepted.",
    "CSRF_TRUSTED_ORIGINS": "Origins, as `https://field.example.org`, from which the admin's forms are accepted "
    "behind a proxy; separated by spaces.",
    "DJANGO_USE_X_FORWARDED_HOST": "Take the host's name from `X-Forwarded-Host`. Only behind a proxy that sets it.",
    "QFC_NODE_SECURE_COOKIES": "Send the admin's cookies over HTTPS only.",
    "QFC_NODE_RELEASE": "Release that the server reports.",
    "QFC_NODE_STATIC_ROOT": "Folder that `collectstatic` fills, for a proxy that serves the admin's files. Without it "
    "the node serves them itself.",
    "QFC_NODE_MEMCACHED": "Address of a memcached, as `memcached:11211`. Without it each process has its own cache.",
    "QFC_NODE_DATA": "Folder of the node: bytes of files, staging, job folders.",
    "POSTGRES_DB": "Name of the database.",
    "POSTGRES_USER": "Account on the database.",
    "POSTGRES_PASSWORD": "Its password.",
    "POSTGRES_HOST": "Host, or folder of the socket.",
    "POSTGRES_PORT": "Port.",
    "POSTGRES_SSLMODE": "TLS to the database: `disable`, `prefer`, `require`, `verify-ca`, `verify-full`.",
    "QFC_NODE_PROCESS": "Name of the process in the database's list of connections.",
    "QFIELDCLOUD_AUTH_TOKEN_EXPIRATION_HOURS": "Hours that a token of a client is valid.",
    "QFC_NODE_LOGIN_FAILURE_LIMIT": "Number of wrong passwords that locks an account out for half an hour.",
    "EMAIL_HOST": "Server for outgoing e-mail. Without it nobody can reset their password themselves.",
    "EMAIL_PORT": "Its port.",
    "EMAIL_USE_TLS": "Use STARTTLS.",
    "EMAIL_USE_SSL": "Use TLS from the start.",
    "EMAIL_HOST_USER": "Account on the server for e-mail.",
    "EMAIL_HOST_PASSWORD": "Its password; needed with an account.",
    "DEFAULT_FROM_EMAIL": "Address from which e-mail is sent.",
    "QFIELDCLOUD_DEFAULT_TIME_ZONE": "Time zone of the admin's pages.",
    "STORAGE_BUCKET_NAME": "Bucket of an S3 store. Without it files are in a folder.",
    "STORAGE_ACCESS_KEY_ID": "Key of the store; needed with a bucket.",
    "STORAGE_SECRET_ACCESS_KEY": "Secret of the store; needed with a bucket.",
    "STORAGE_REGION_NAME": "Region of the store.",
    "STORAGE_ENDPOINT_URL": "Address of the store; if not set, Amazon's.",
    "QFC_NODE_DELTAFILE_BYTES": "Largest deltafile, in bytes.",
    "QFC_NODE_DELTAFILE_DELTAS": "Most edits in a deltafile.",
    "QFC_NODE_DELTA_GEOMETRY_BYTES": "Largest geometry of an edit, as bytes of its text.",
    "QFC_NODE_DELTA_ATTRIBUTE_BYTES": "Largest value of an attribute of an edit, in bytes.",
    "QFC_NODE_UPLOAD_MAX_BYTES": "Largest file that is accepted, in bytes.",
    "QFC_NODE_IDLE_S": "Seconds that a connection may wait for its next request.",
    "QFC_NODE_HEADERS_S": "Seconds for the headers of a request.",
    "QFC_NODE_STALL_S": "Seconds that a body, or a client that reads its answer, may stand still.",
    "QFC_NODE_BYTES_PER_S": "The speed that both must have after that.",
    "QFC_NODE_CONNECTIONS": "Connections of each of the API's processes.",
    "QFC_NODE_CONNECTIONS_PER_ADDRESS": "Those of one address, which is no trusted proxy's.",
    "QFC_NODE_TRUSTED_PROXIES": "Addresses and networks whose word about clients counts; if not set, this machine's.",
    "WORKER_TIMEOUT_S": "Longest time that a job may take, in seconds.",
    "QFC_NODE_WORKER_MEMORY_LIMIT": "Most memory that a job may take, in bytes.",
    "QFC_NODE_APPLY_DELTAS_LIMIT": "Most edits that one job applies.",
    "QFC_NODE_GIS_ENGINE": "The engine that reads, packages and edits projects.",
    "QFC_NODE_BOX_WITHOUT": "Layers that do not hold jobs although the machine has them, separated by commas: "
    "`account`, `privileges`, `mounts`, `landlock`, `network`, `seccomp`, `limits`; see [security](../security.md).",
    "QFC_NODE_DATABASE_HOSTS": "Names, addresses and networks (`10.1.0.0/16`), possibly with a port (`db.lan:5432`), "
    "where layers may be in databases although they are on this machine or in a private range. Servers on public "
    "addresses need no entry. The server of the node's own database needs one with its port; the node's database and "
    "login stay forbidden.",
    "QFC_NODE_TRIAL_SINCE": "Moment, as an ISO date, since which workers take jobs; they then remove no bytes. Set by "
    "`qfc upgrade` while it proves a release.",
    "QFC_NODE_LEASE_S": "Seconds without a sign of life after which a connected worker loses its job.",
    "LOGLEVEL": "`DEBUG`, `INFO`, `WARNING` or `ERROR`.",
}

#: The files in which the node reads its environment.
NODE_SETTINGS = ("settings.py", "serving/limits.py", "serving/proxies.py")

HEAD = """# Configuration

{note}

## The file

`$QFC_CONFIG`; without it `$QFC_HOME/config.toml` if `QFC_HOME` is set, else `~/.config/qfc/config.toml`. `qfc init`
writes it and keeps what you added, comments too. A setting comes from the command's flags, else from the environment,
else from the file; if none of them has it, the stack keeps the value of its last run. All mistakes are reported at
once; an unknown key is a mistake.

```toml
{example}
```

{top}

### Settings of a stack

{settings}

A variable takes precedence over the file; it applies to the stack that the command uses. Older set-ups have other names
for some settings of a deployment. These names work too, but the others take precedence; an embedded stack ignores them.
{tables}
## Environment of `qfc`

{variables}

## Environment of the node

The embedded server reads only its environment. `qfc up` sets what is required. Write everything else into the file
`node.env` in the stack's folder: one `NAME=value` per line, without quotes, `#` before a comment. If it holds a secret,
make it readable for its owner only (`chmod 600`). `qfc services recreate --all` applies it. The secrets (`SECRET_KEY`,
`POSTGRES_PASSWORD`, `STORAGE_SECRET_ACCESS_KEY`) may also be in a file of their own: `NAME_FILE=/path` instead of
`NAME=value`.

{node}

The processes of a stack inherit {inherited} from your own environment, and nothing else.
"""


@dataclass(frozen=True)
class Variable:
    """A variable of the node: how it is read, and its default as the source has it."""

    name: str
    reader: str
    default: str


def configuration_page(note: str, root: Path) -> str:
    """Return the page."""
    return HEAD.format(
        note=note,
        example=example(),
        top=table(("key", "meaning", "variable"), _settings(Top)),
        settings=table(("key", "meaning", "variable", "kinds"), _stack_settings()),
        tables="".join(_other_tables()),
        variables=table(("variable", "meaning"), _variables()),
        node=table(("variable", "default", "meaning"), _node_rows(root)),
        inherited=", ".join(f"`{name}`" for name in INHERITED),
    )


def example() -> str:
    """Return a configuration that names every setting once: a stack of the node, a deployment, every other table."""
    settings = settings_of(StackConfig)
    of_node = [name for name, about in settings.items() if about.kinds == NODE]
    others = [name for name in settings if name not in of_node and name != FOLDER]
    parts = [
        _lines(Top, tuple(settings_of(Top))),
        ["[stacks.local]", *_lines(StackConfig, (FOLDER, *of_node))],
        ["[stacks.server]", *_lines(StackConfig, others)],
        *([f"[{name}]", *_lines(of, tuple(settings_of(of)))] for name, of in TABLES.items()),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _lines(of: type[Any], names: Sequence[str]) -> list[str]:
    settings = settings_of(of)
    pairs = [f"{name} = {json.dumps(settings[name].example)}" for name in names]
    width = max(map(len, pairs))
    return [f"{pair.ljust(width)}  # {settings[name].meaning}" for name, pair in zip(names, pairs, strict=True)]


def _settings(of: type[Any], prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Yield name, meaning and variables of each setting."""
    for name, about in settings_of(of).items():
        variables = [variable_of(of, name, prefix=prefix), about.older_variable]
        shown = ", older: ".join(f"`{variable}`" for variable in variables if variable)
        yield f"`{name}`", f"{about.sentence[0].upper()}{about.sentence[1:]}.", shown


def _stack_settings() -> Iterator[tuple[str, ...]]:
    kinds = ["embedded" if about.kinds == NODE else "all" for about in settings_of(StackConfig).values()]
    for row, kind in zip(_settings(StackConfig), kinds, strict=True):
        yield *row, kind


def _other_tables() -> Iterator[str]:
    for name, of in TABLES.items():
        yield f"\n### `[{name}]`\n\n{table(('key', 'meaning', 'variable'), _settings(of, name))}\n"


def _variables() -> Iterator[tuple[str, str]]:
    yield from ((f"`{name}`", meaning) for name, meaning in VARIABLES.items())
    ours, older = PASSWORD_VARIABLES
    yield (
        f"`{ours}`",
        f"Password of the account on a stack's host, if no key works; the older name is `{older}`. Only `ssh` "
        "gets it, through a pipe. Without it, `ssh` asks on a terminal.",
    )


def _node_rows(root: Path) -> list[tuple[str, str, str]]:
    found = node_variables(root)
    unknown = {one.name for one in found} ^ set(NODE_VARIABLES)
    if unknown:
        raise ValueError(f"NODE_VARIABLES in {__file__} and the node disagree about {', '.join(sorted(unknown))}")
    preset = _preset()
    return [(f"`{one.name}`", _default(one, preset), NODE_VARIABLES[one.name]) for one in found]


def _preset() -> set[str]:
    """Return the variables that the suite sets."""
    endpoint = Endpoint("host", 5432, "user", "password", "database")
    names = node_environment(Layout(Path("/nonexistent")), state.EmbeddedState(), endpoint)
    return {name.removesuffix("_FILE") for name in names} | {"QFC_NODE_RELEASE", "QFC_NODE_PROCESS"}


def _default(variable: Variable, preset: set[str]) -> str:
    if variable.name in preset:
        return "set by `qfc up`"
    if variable.reader == "switch":
        return "off"
    return f"`{variable.default}`" if variable.default else "-"


def node_variables(root: Path) -> list[Variable]:
    """Return every variable that the node's settings read, in the order of the source, each once."""
    calls = [call for file in NODE_SETTINGS for call in _reader_calls(root / "src/qfc_node" / file)]
    found = {variable.name: variable for variable in map(_variable, calls)}
    return list(found.values())


def _reader_calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_reader(node.func)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _is_reader(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "environment"
        and function.attr.islower()  # not the error
    )


def _variable(call: ast.Call) -> Variable:
    assert isinstance(call.func, ast.Attribute)
    name = ast.literal_eval(call.args[0])
    default = _text(call.args[1]) if len(call.args) > 1 else ""
    return Variable(name, call.func.attr, default)


def _text(expression: ast.expr) -> str:
    """Return a default as people read it: numbers computed, nothing for a name of the source."""
    if isinstance(expression, ast.Name):
        return ""
    return str(_value(expression))


def _value(expression: ast.expr) -> object:
    """Compute a default as the settings write it: a literal, or a product or power of numbers."""
    if isinstance(expression, ast.BinOp):
        left, right = _value(expression.left), _value(expression.right)
        assert isinstance(left, int) and isinstance(right, int)
        return left**right if isinstance(expression.op, ast.Pow) else left * right
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        assert expression.value.id == "DEFAULTS"
        return getattr(DEFAULTS, expression.attr)
    return ast.literal_eval(expression)
