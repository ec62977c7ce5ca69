"""`.env` files, read by the suite and by `docker compose config`: both see the same values, also after a change."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qfc.errors import ConfigError
from qfc.stack.env_file import EnvFile

#: Only its client is used; it is installed where containers are.
pytestmark = pytest.mark.docker
NAMES = ("A", "B")
SERVICE = {name: f"${{{name}-UNSET}}" for name in NAMES}

values = st.text(st.sampled_from("ab1 '\"\\#$\n\t=é{}:-"), max_size=10)
words = st.one_of(values, values.map(lambda text: f"'{text}'"), values.map(lambda text: f'"{text}"'))
statements = st.builds(
    "{}{}{}{}{}\n".format,
    st.sampled_from(["", "", "export ", "  "]),
    st.sampled_from(NAMES),
    st.sampled_from(["=", "=", " = ", ": "]),
    words,
    st.sampled_from(["", "", " # why", "\t", "# x"]),
)
texts = st.lists(st.one_of(statements, st.sampled_from(["# it's\n", "\n", "C=1\r\n"])), max_size=4).map("".join)


def read_by_compose(folder: Path, text: str) -> dict[str, str] | None:
    """Return the values that Compose reads; None for a file that it refuses."""
    (folder / "compose.yml").write_text(json.dumps({"services": {"x": {"image": "x", "environment": SERVICE}}}))
    (folder / ".env").write_bytes(text.encode())
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    argv = ["docker", "compose", "--file", "compose.yml", "config", "--format", "json"]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, check=False)
    if done.returncode:
        return None
    found = json.loads(done.stdout)["services"]["x"]["environment"]
    return {name: value.replace("$$", "$") for name, value in found.items() if value != "UNSET"}


def read_by_us(file: EnvFile) -> dict[str, str] | None:
    """Return the same values as the suite reads them."""
    try:
        return {name: value for name, value in file.values.items() if name in NAMES}
    except ConfigError:
        return None


@pytest.mark.usefixtures("tmp_path")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=texts, value=values)
def test_both_read_the_same(tmp_path: Path, text: str, value: str) -> None:
    file = EnvFile(text)
    known = read_by_us(file)
    assert known == read_by_compose(tmp_path, text)
    if known is None:
        return
    try:
        changed = file.with_values({"A": value})
    except ConfigError:
        return
    assert (read_by_compose(tmp_path, changed.text) or {})["A"] == value
