"""A deployment's files under git."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

from ...errors import CommandError, NotFoundError, RefusedError
from ...stack.model import CommandResult, Revision, SourceState
from ...stack.ports import Source
from ..docker.engine import Engine

#: Seconds after which a server that does not answer is given up.
FETCH_S = 300.0
KINDS = {"branch": ("refs/remotes/origin/{}", "refs/heads/{}"), "tag": ("refs/tags/{}",), "commit": ("{}",)}
#: git does not ask for a password, and trusts a checkout of another owner: it is the operator's own.
QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class GitSource(Source):
    """The git checkout that contains a deployment's folder."""

    def __init__(self, engine: Engine, folder: PurePosixPath) -> None:
        self._engine, self._folder = engine, folder

    def state(self) -> SourceState:
        done = self._git("rev-parse", "HEAD", check=False)
        if done.exit_code:
            raise RefusedError(
                f"{self._folder} is not under git, so it cannot change to another release and back.",
                hint="Clone the deployment with git, copy .env and conf into the clone, and set project_path to it.",
            )
        commit = done.stdout.strip()
        branch = self._git("symbolic-ref", "--short", "-q", "HEAD", check=False).stdout.strip() or None
        changed = self._git("status", "--porcelain", "--untracked-files=no").stdout.splitlines()
        return SourceState(Revision(commit, self._name(commit)), branch, tuple(line[3:] for line in changed))

    def resolve(self, ref: str, *, kind: str, fetch: bool = True) -> Revision:
        if fetch:
            self._fetch()
        for pattern in KINDS[kind]:
            done = self._git("rev-parse", "--verify", "--quiet", f"{pattern.format(ref)}^{{commit}}", check=False)
            if done.exit_code == 0:
                commit = done.stdout.strip()
                return Revision(commit, ref if kind != "commit" else self._name(commit))
        raise NotFoundError(f"There is no {kind} {ref}.", hint=f"Type there: git -C {self._folder} {_listing(kind)}")

    def checkout(self, revision: Revision, *, branch: str | None = None) -> None:
        if branch is not None:
            self._git("checkout", "--quiet", "-B", branch, revision.commit)
        else:
            self._git("checkout", "--quiet", "--detach", revision.commit)

    def date(self, revision: Revision) -> datetime:
        return datetime.fromisoformat(self._git("show", "-s", "--format=%cI", revision.commit).stdout.strip())

    def read(self, revision: Revision, path: str) -> str | None:
        done = self._git("show", f"{revision.commit}:./{path}", check=False)
        return done.stdout if done.exit_code == 0 else None

    def _fetch(self) -> None:
        """Fetch from the remote of the checkout, if it has one."""
        if not self._git("remote").stdout.strip():
            return
        try:
            self._git("fetch", "--quiet", "--tags", "--force", "--prune", "origin", timeout_s=FETCH_S)
        except CommandError as error:
            raise CommandError(
                f"The releases cannot be fetched: {error.message}", hint=f"Type there: git -C {self._folder} fetch"
            ) from error

    def _name(self, commit: str) -> str:
        done = self._git("describe", "--tags", "--always", commit, check=False)
        return done.stdout.strip() or commit

    def _git(self, *words: str, check: bool = True, timeout_s: float | None = 60) -> CommandResult:
        argv = ["git", "-c", "safe.directory=*", "-C", str(self._folder), *words]
        return self._engine.run(argv, environment=QUIET, check=check, timeout_s=timeout_s)


def _listing(kind: str) -> str:
    return {"branch": "branch -r", "tag": "tag", "commit": "log --oneline"}[kind]
