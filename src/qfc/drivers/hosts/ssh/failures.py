"""The error messages of OpenSSH's client, and what an operator can do about them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ....errors import SilentHostError, UnreachableError
from .arguments import SshSettings


@dataclass(frozen=True)
class _Failure:
    """A message of ssh, its meaning, and what to type. Both texts can use the named groups of the pattern."""

    pattern: re.Pattern[str]
    message: str
    hint: str
    error: type[UnreachableError]


def _failure(pattern: str, message: str, hint: str, error: type[UnreachableError] = UnreachableError) -> _Failure:
    return _Failure(re.compile(pattern, re.IGNORECASE), message, hint, error)


#: The first match counts: causes come before their consequences.
_FAILURES = (
    _failure(
        r"Host key for (?P<known>\S+) has changed",
        "The host key of {name} is not the one on record: another machine answers, or the server was reinstalled.",
        "Only if it was reinstalled, type: ssh-keygen -R '{known}' && {login}",
    ),
    _failure(
        r"No (?P<kind>\S+) host key is known for (?P<known>\S+)",
        "The host key of {name} is not known here ({kind} key of {known}).",
        "Type: {login}  and compare the fingerprint that it shows with the server's own, then try again.",
    ),
    _failure(
        r"host key.*revoked|revoked host key",
        "The host key of {name} is revoked.",
        "Ask the administrator of the server for its new host key; look for @revoked in ~/.ssh/known_hosts.",
    ),
    _failure(
        r"Host key verification failed",
        "The host key of {name}, or of a jump host on the way, is not trusted.",
        "Type: {login}  and follow its instructions, then try again.",
    ),
    _failure(
        r"UNPROTECTED PRIVATE KEY|bad permissions",
        "ssh does not use a private key that others may read.",
        "Type: {login}  to see the file of the key, then chmod 600 on it.",
    ),
    _failure(
        r"Too many authentication failures",
        "{name} closed the connection after ssh offered too many keys.",
        "Set identity_file of the stack to the right key, or IdentitiesOnly yes in ~/.ssh/config.",
    ),
    _failure(
        r"(?P<account>\S+): Permission denied \((?P<methods>[^)]*)\)",
        "{account} cannot log in: the server refused the keys or the password (it accepts {methods}).",
        "Type: {login}  to see why; install a key with ssh-copy-id, or set QFC_SSH_PASSWORD.",
    ),
    _failure(
        r"Could not resolve hostname (?P<unknown>\S+?):",
        "The host name {unknown} cannot be resolved.",
        "Correct the host of the stack, or add the name to DNS or ~/.ssh/config.",
        SilentHostError,
    ),
    _failure(
        r"Connection refused",
        "{name} refused the connection.",
        "Check that sshd runs there, on that port, then type: {login}",
    ),
    _failure(
        r"timed out|timeout|No route to host|Network is unreachable",
        "{name} does not answer.",
        "Check network, firewall and VPN, then type: {login}",
        SilentHostError,
    ),
    _failure(
        r"Session open refused by peer",
        "{name} allows no more sessions over one connection.",
        "Raise MaxSessions in the server's sshd_config, or end other qfc commands, then try again.",
    ),
    _failure(
        r"Bad configuration option|terminating, \d+ bad configuration|Can't open user config file",
        "ssh's own configuration is wrong.",
        "Type: {login}  and correct the line that it names.",
    ),
    _failure(
        r"Connection (closed|reset)|kex_exchange_identification|Broken pipe",
        "{name} closed the connection before the login.",
        "The server may be overloaded or have banned this address. Check its sshd log, then type: {login}",
    ),
)


def unreachable(settings: SshSettings, said: str) -> UnreachableError:
    """Return the error for the output of an ssh that could not connect."""
    for failure in _FAILURES:
        found = failure.pattern.search(said)
        if found:
            words = {"name": settings.name, "login": settings.login, **found.groupdict()}
            return failure.error(failure.message.format(**words), hint=failure.hint.format(**words))
    lines = said.strip().splitlines()
    last = lines[-1] if lines else "ssh printed nothing"
    return UnreachableError(f"{settings.name} cannot be reached: {last}", hint=f"Type: {settings.login}")


def no_answer(settings: SshSettings) -> UnreachableError:
    """Return the error for a connection that timed out."""
    return unreachable(settings, "timed out")


def broken(settings: SshSettings, program: str) -> UnreachableError:
    """Return the error for a connection that ended before the command did."""
    return UnreachableError(
        f"The connection to {settings.name} was lost while {program} ran; whether it finished there is unknown.",
        hint=f"Type: {settings.login}  to see whether the server is back, then run the command again.",
    )


def no_shell(settings: SshSettings, said: str) -> UnreachableError:
    """Return the error for an account that does not run commands."""
    return UnreachableError(
        f"{settings.name} does not run commands for this account: {said.strip() or 'it printed nothing'}",
        hint=f"The account needs a login shell, and the server sh. Type: {settings.login}",
    )
