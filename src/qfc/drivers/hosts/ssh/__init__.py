"""Servers that are reached over SSH: `host.py` is the port; the other modules are its parts.

arguments.py    what is typed to OpenSSH's client
connection.py   one connection, kept open in the background
password.py     a password on its way to ssh
launcher.py     the script at the other end of a session
channel.py      one session
sessions.py     sessions over the connection, one of them ahead
files.py        scripts that read and write files
failures.py     what ssh says when it fails
"""

from __future__ import annotations

from .arguments import SshSettings
from .host import SshHost
from .password import password_of

__all__ = ["SshHost", "SshSettings", "password_of"]
