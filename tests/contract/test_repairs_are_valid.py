"""What repairs make of `.env` is what Compose itself accepts, with the files of official releases."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks_world import VALUES, found, healthy
from qfc.checks import EVERYTHING, Auto
from qfc.checks.env_repairs import RepairsEnv
from qfc.stack.findings import Result
from qfc.stack.removals import DATA_SERVICES
from queue_world import RELEASES
from requirements import require
from twins import MemoryPorts
from twins.site import FOLDER

#: Lines that several repairs would change; each set is tried by itself.
SETS = (
    {"A02", "A05-env", "A06", "B03", "D10", "H06-tls", "H06-verify", "H07", "A10-passwords"},
    {"A01", "B04", "B06", "B11", "C07"},
    {"B07", "A10-passwords", "A02"},
)
DEVELOPMENT = "COMPOSE_FILE=docker-compose.yml:docker-compose.override.local.yml\n"
STANDALONE = "docker-compose.override.standalone.yml"
#: What in the files of the tests is filled in by whoever runs them.
FILLED_IN = {"=WEB_HTTPS\n": "=443\n", "=WEB_HTTP\n": "=80\n", "=DATABASE_PORT\n": "=5433\n",
             "=STORE_PORT\n": "=8009\n", "=PROJECT\n": "=project\n", "QFIELDCLOUD_WORKER_REPLICAS=1": ""}  # fmt: skip


def deployment(release: str, ids: set[str]) -> MemoryPorts:
    """Return a deployment of a release whose `.env` has these faults."""
    ports, _ = healthy("compose")
    text = (RELEASES / f"{release}.env").read_text()
    for word, value in FILLED_IN.items():
        text = text.replace(word, value)
    ports.deployment.site.env = f"{text}\nQFIELDCLOUD_WORKER_REPLICAS=2\n"
    for id in sorted(ids):
        ports.deployment.site.env += DEVELOPMENT if id == "A01" else f"{VALUES[id][0]}\n"
    for name, path in files(release).items():
        ports.host.files[FOLDER / name] = (path.read_bytes(), 0o644)
    return ports


def files(release: str) -> dict[str, Path]:
    """Return the Compose files of a release by their names in a deployment."""
    parts = {
        path: path.name.removeprefix(release).removesuffix(".yml").strip(".")
        for path in RELEASES.glob(f"{release}*.yml")
    }
    return {
        f"docker-compose.override.{part}.yml" if part else "docker-compose.yml": path for path, part in parts.items()
    }


def config(folder: Path) -> dict[str, Any]:
    """Return what Compose makes of the files in a folder. It needs no engine."""
    argv = ["docker", "compose", "--project-name", "project", "config", "--format", "json"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", autouse=True)
def compose() -> None:
    """Skip without Compose."""
    program = shutil.which("docker")
    has = (
        program is not None
        and subprocess.run([program, "compose", "version"], capture_output=True, check=False).returncode == 0
    )
    require("docker compose", has, "the plug-in of docker")


@pytest.mark.parametrize("ids", SETS, ids=[" ".join(sorted(one)) for one in SETS])
@pytest.mark.parametrize("release", ["2025_11", "2026_08"])
def test_compose_accepts_what_repairs_write(release: str, ids: set[str], tmp_path: Path) -> None:
    ports = deployment(release, ids)
    for name, path in files(release).items():
        (tmp_path / name).write_bytes(path.read_bytes())
    if STANDALONE in files(release):
        joined = DEVELOPMENT.strip().removeprefix("COMPOSE_FILE=")
        ports.deployment.site.env = ports.deployment.site.env.replace(joined, f"{joined}:{STANDALONE}")
    made = found(ports, fix=True)
    assert {one.id for one in made.findings if one.id in ids and one.result is Result.FOUND} <= {"A10-passwords", "A01"}
    (tmp_path / ".env").write_text(ports.deployment.site.env)
    services = config(tmp_path)["services"]
    values = ports.deployment.settings.values()
    passed = {name: value for one in services.values() for name, value in (one.get("environment") or {}).items()}
    assert passed["DEBUG"] == values["DEBUG"] if "DEBUG" in passed else True
    assert release == "2025_11" or DATA_SERVICES & services.keys() == {"db", "rustfs", "webdav"}


def test_every_repair_of_env_is_in_a_set() -> None:
    repairs = {
        one.id for one in EVERYTHING if isinstance(one, RepairsEnv) and one.auto is not Auto.NO and one.id in VALUES
    }
    assert repairs == set().union(*SETS)
