"""Servers that are reached over SSH. `host.py` implements the port; the other modules are its parts.

arguments.py    command lines of OpenSSH's client
connection.py   one connection, kept open in the background
password.py     passing a password to ssh
launcher.py     the script at the other end of a session
channel.py      one session
sessions.py     sessions over the connection, some opened in advance
files.py        scripts that read and write files
failures.py     error messages of ssh
"""

from __future__ import annotations

from .arguments import SshSettings
from .host import SshHost
from .password import password_of

__all__ = ["SshHost", "SshSettings", "password_of"]
