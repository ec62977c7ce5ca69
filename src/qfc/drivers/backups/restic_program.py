"""Calls of the program restic for one stack: its snapshots, by the name of the stack as their host."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...errors import CommandError, DamagedError, NotFoundError, UnreachableError
from ...files import keep_file
from ..commands import echo, run

#: What the password is derived for; a change here would lock every repository.
_PURPOSE = b"qfc restic password 1"
#: Files that are named one by one on a command line; of more, the whole folder is fetched.
NAMED = 200


@dataclass(frozen=True)
class Snapshot:
    """A snapshot. `tree` names its content for ever: a change of tags makes another snapshot with the same one."""

    id: str
    tree: str
    tags: tuple[str, ...]


class Restic:
    """The program, on one repository. Its password is in a file: no list of processes shows it.

    `identity` returns the operator's key, from which the password is derived: one line on paper opens everything.
    """

    def __init__(
        self,
        repository: str,
        stack: str,
        folder: Path,
        identity: Callable[[], str | None],
        environment: Mapping[str, str],
        program: str = "restic",
    ) -> None:
        self.repository, self._stack, self._folder = repository, stack, folder
        self._identity, self._given, self._program = identity, environment, program
        self._found: tuple[Snapshot, ...] | None = None
        self._is_there = False

    def password(self) -> str | None:
        """Return the password; None where the key is not on this machine."""
        identity = self._identity()
        if identity is None:
            return None
        derived = HKDF(algorithm=SHA256(), length=24, salt=None, info=_PURPOSE).derive(identity.encode())
        return base64.urlsafe_b64encode(derived).decode()

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return the snapshots of the stack, the oldest first; none where there is no repository yet."""
        if self._found is None:
            self._found = self._listed() if self._exists() else ()
        return self._found

    def look_again(self) -> None:
        """Forget what was read of the repository."""
        self._found = None

    def backup(self, folder: Path, *, tags: Iterable[str]) -> None:
        """Make a snapshot of the content of a folder."""
        self._create()
        self._run("backup", "--quiet", *_tagged(tags), "--host", self._stack, ".", folder=folder)
        self.look_again()

    def backup_bytes(self, name: str, content: bytes, *, tags: Iterable[str]) -> None:
        """Make a snapshot of one small file."""
        self._create()
        words = ("--stdin", "--stdin-filename", name)
        self._run("backup", "--quiet", *_tagged(tags), "--host", self._stack, *words, stdin=content)
        self.look_again()

    def files(self, snapshot: Snapshot) -> Mapping[str, int]:
        """Return the files of a snapshot with their sizes; remembered on this machine, since they never change."""
        remembered = self._folder / "index" / f"{snapshot.tree}.json"
        if remembered.exists():
            return cast("dict[str, int]", json.loads(remembered.read_text()))
        lines = map(json.loads, self._run("ls", "--json", snapshot.id).splitlines())
        found = {str(one["path"]).lstrip("/"): int(one.get("size", 0)) for one in lines if one.get("type") == "file"}
        remembered.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_file(remembered, json.dumps(found).encode(), mode=0o600)
        return found

    def bytes_of(self, snapshot: Snapshot, file: str) -> bytes:
        """Return a small file of a snapshot; remembered, too."""
        remembered = self._folder / "index" / f"{snapshot.tree}.{file.replace('/', '.')}"
        if not remembered.exists():
            with self.dumped(snapshot.id, file) as content:
                remembered.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                keep_file(remembered, content.read(), mode=0o600)
        return remembered.read_bytes()

    @contextmanager
    def dumped(self, snapshot: str, file: str) -> Generator[BinaryIO]:
        """Open a file of a snapshot. Raises DamagedError at its end if restic finds it damaged."""
        argv = self._argv("dump", snapshot, f"/{file}")
        echo(argv)
        with subprocess.Popen(
            argv, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout and process.stderr
            yield cast(BinaryIO, process.stdout)
            process.stdout.close()
            said = process.stderr.read().decode(errors="replace").strip()
            if process.wait() != 0:
                raise DamagedError(f"{file}: {said.splitlines()[-1] if said else 'restic printed nothing'}")

    def restore(self, snapshot: str, files: Sequence[str], target: Path) -> None:
        """Write files of a snapshot below a folder."""
        names = [f"/{one}" for one in files] if len(files) <= NAMED else ["/objects"]
        included = [word for name in names for word in ("--include", name)]
        try:
            self._run("restore", snapshot, "--target", str(target), *included)
        except CommandError as error:
            # What is missing then is found one by one, with its name.
            if not target.exists():
                raise DamagedError(f"Nothing of {snapshot[:8]} can be read: {error.message}") from error

    def tag(self, snapshot: str, tag: str) -> None:
        """Add a tag to a snapshot."""
        self._run("tag", "--add", tag, snapshot)
        self.look_again()

    def forget(self, snapshots: Sequence[str]) -> None:
        """Remove snapshots."""
        if snapshots:
            self._run("forget", "--quiet", *snapshots)
        self.look_again()

    def prune(self) -> None:
        """Remove what no snapshot needs."""
        self._run("prune", "--quiet")

    def size(self) -> int:
        """Return the bytes of the content of the repository."""
        return int(json.loads(self._run("stats", "--json", "--mode", "raw-data"))["total_size"])

    def _listed(self) -> tuple[Snapshot, ...]:
        found: list[dict[str, Any]] = json.loads(self._run("snapshots", "--json", "--host", self._stack)) or []
        ordered = sorted(found, key=lambda one: str(one["time"]))
        return tuple(Snapshot(one["id"], one["tree"], tuple(one.get("tags") or ())) for one in ordered)

    def _exists(self) -> bool:
        # Each call derives the key from the password, which takes a second on purpose.
        self._is_there = self._is_there or self._answers()
        return self._is_there

    def _answers(self) -> bool:
        done = run(self._argv("cat", "config"), environment=self._environment(), check=False)
        if done.exit_code == 0:
            return True
        if "wrong password" in done.stderr:
            raise DamagedError(
                f"The key here does not open the repository {self.repository}.", hint="Type: qfc db keys --import FILE"
            )
        if "Is there a repository" in done.stderr or "does not exist" in done.stderr:
            return False
        raise UnreachableError(
            f"The repository {self.repository} cannot be used: {done.stderr.strip().splitlines()[-1:]}",
            hint="Check backup.repository, and what it needs in backup.repository_env.",
        )

    def _create(self) -> None:
        if not self._exists():
            self._run("init")
            self._is_there = True

    def _run(self, *words: str, folder: Path | None = None, stdin: bytes | None = None) -> str:
        argv = self._argv(*words)
        if folder is not None:
            argv = ["env", f"--chdir={folder}", *argv]
        return run(argv, environment=self._environment(), stdin=stdin, name=f"restic {words[0]}").stdout

    def _argv(self, *words: str) -> list[str]:
        return [self._program, "--repo", self.repository, "--cache-dir", str(self._folder / "cache"), *words]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "SSH_AUTH_SOCK") if name in os.environ}
        return {**kept, **self._given, "RESTIC_PASSWORD_FILE": str(self._password_file())}

    def _password_file(self) -> Path:
        """Return the file with the password. The operator may move the key away, and leave this file.

        Without both, a wrong password tells at least whether there is a repository.
        """
        path, password = self._folder / "password", self.password()
        if password is None and not path.exists():
            path, password = self._folder / "no-password", "none"
        if password is not None and (not path.exists() or path.read_text() != password):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            keep_file(path, password.encode(), mode=0o600)
        return path


def require_program(found: str | None) -> str:
    """Return the path of the program. Raises NotFoundError."""
    if found is None:
        raise NotFoundError("restic is not installed.", hint="Debian has it: apt-get install restic")
    return found


def _tagged(tags: Iterable[str]) -> list[str]:
    return [word for tag in tags for word in ("--tag", tag)]
