"""The documents, .env and git files of every deployment: the twins and the real ones."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from qfc.drivers.deployment.settings import EnvSettings
from qfc.drivers.deployment.source import GitSource
from qfc.drivers.docker.engine import Engine
from qfc.drivers.hosts.local import LocalHost
from qfc.drivers.records import HostRecords
from qfc.drivers.runtimes.compose.env import Env
from qfc.errors import NotFoundError, QfcError
from qfc.stack.model import Revision
from qfc.stack.ports import Records, Settings, Source
from twins import MemoryDeployment, Release, memory_deployment

ENV = "# how many\nQFIELDCLOUD_WORKER_REPLICAS=2\nSECRET_KEY=a-b-c\n"
EXAMPLES = {"v1": "SECRET_KEY=\n", "v2": "SECRET_KEY=\nSTORAGES=\n"}


@dataclass
class Parts:
    """The ports under test, and the releases v1 (checked out) and v2."""

    records: Records
    settings: Settings
    source: Source
    releases: dict[str, Revision]


@pytest.fixture(params=["memory", "host"])
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Parts:
    return _in_memory() if request.param == "memory" else _on_this_machine(tmp_path)


def _in_memory() -> Parts:
    made = {name: Revision(name * 20, name) for name in EXAMPLES}
    releases = [Release(made[name], {".env.example": text}) for name, text in EXAMPLES.items()]
    ports = memory_deployment(*releases)
    deployment: MemoryDeployment = ports.deployment
    deployment.site.env = ENV
    return Parts(ports.records, deployment.settings, deployment.source, made)


def _on_this_machine(folder: Path) -> Parts:
    identity = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t")
    identity |= dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@example.com")

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=folder, env={**os.environ, **identity}, check=True,
                              capture_output=True, text=True)  # fmt: skip
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    (folder / ".gitignore").write_text(".env*\n!.env.example\n.qfc/\n")
    made: dict[str, Revision] = {}
    for name, text in EXAMPLES.items():
        (folder / ".env.example").write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", name)
        git("tag", name)
        made[name] = Revision(git("rev-parse", "HEAD"), name)
    git("checkout", "-q", "--detach", "v1")
    (folder / ".env").write_text(ENV)
    place, engine = PurePosixPath(folder), Engine(LocalHost())
    settings = EnvSettings(Env(engine, place), lambda: None)
    return Parts(HostRecords(LocalHost(), place / ".qfc"), settings, GitSource(engine, place), made)


def test_documents_come_back_as_they_went(parts: Parts) -> None:
    document = {"name": "größe", "steps": ["a", "b"], "none": None, "deep": {"x": 1.5}}
    assert parts.records.read("deploy.json") is None
    parts.records.write("deploy.json", document)
    parts.records.write("deployments/1/record.json", document)
    assert parts.records.read("deploy.json") == parts.records.read("deployments/1/record.json") == document
    parts.records.write("deploy.json", {"other": 1})
    assert parts.records.read("deploy.json") == {"other": 1}


def test_a_document_that_is_none_is_an_error_with_its_name(parts: Parts) -> None:
    parts.records.write_text("deploy.json", "{half")
    with pytest.raises(QfcError, match=r"deploy\.json cannot be read"):
        parts.records.read("deploy.json")
    assert parts.records.read_text("deploy.json") == "{half"


def test_folders_are_listed_in_order_and_removed_with_what_is_in_them(parts: Parts) -> None:
    assert parts.records.names("deployments") == ()
    for name in ("2", "10", "1"):
        parts.records.write_text(f"deployments/{name}/env", ENV)
    assert parts.records.names("deployments") == ("1", "10", "2")
    assert parts.records.sizes("deployments/1") == {"env": len(ENV)}
    parts.records.remove("deployments/10")
    parts.records.remove("deployments/10")
    assert parts.records.names("deployments") == ("1", "2")
    assert parts.records.read_text("deployments/10/env") is None


def test_a_file_is_received_whole_or_not_at_all(parts: Parts) -> None:
    path = parts.records.receive("images/a.tar", io.BytesIO(b"whole"), 5)
    assert path == parts.records.folder("images") / "a.tar"
    assert parts.records.sizes("images") == {"a.tar": 5}
    with pytest.raises(QfcError):
        parts.records.receive("images/b.tar", io.BytesIO(b"half"), 8)
    assert parts.records.sizes("images") == {"a.tar": 5}


def test_a_changed_value_leaves_every_other_line(parts: Parts) -> None:
    parts.settings.change({"QFIELDCLOUD_WORKER_REPLICAS": "5", "STORAGES": "{}"})
    assert parts.settings.text().startswith("# how many\nQFIELDCLOUD_WORKER_REPLICAS=5\nSECRET_KEY=a-b-c\n")
    assert parts.settings.values() == {"QFIELDCLOUD_WORKER_REPLICAS": "5", "SECRET_KEY": "a-b-c", "STORAGES": "{}"}
    parts.settings.restore(ENV)
    assert parts.settings.text() == ENV


def test_names_that_another_file_has_are_told(parts: Parts) -> None:
    assert parts.settings.missing_for("SECRET_KEY=\nSTORAGES=\nA=1\n") == ("A", "STORAGES")
    assert parts.settings.has_other_names("SECRET_KEY=x\nQFIELDCLOUD_WORKER_REPLICAS=9\n") is False
    assert parts.settings.has_other_names("SECRET_KEY=x\n") is True


def test_a_release_is_found_read_and_checked_out(parts: Parts) -> None:
    state = parts.source.state()
    assert (state.revision, state.branch, state.changed) == (parts.releases["v1"], None, ())
    second = parts.source.resolve("v2", kind="tag")
    assert second == parts.releases["v2"]
    assert parts.source.resolve(second.commit, kind="commit") == second
    assert parts.source.read(second, ".env.example") == EXAMPLES["v2"]
    assert parts.source.read(second, "no-such-file") is None
    parts.source.checkout(second, branch="field")
    assert parts.source.state().revision.commit == second.commit
    assert parts.source.state().branch == "field"
    parts.source.checkout(parts.releases["v1"])
    assert parts.source.state() == state


@pytest.mark.parametrize("kind", ["tag", "branch", "commit"])
def test_an_unknown_release_is_an_error_with_its_name(parts: Parts, kind: str) -> None:
    with pytest.raises(NotFoundError, match=f"There is no {kind} v9"):
        parts.source.resolve("v9", kind=kind)
