"""Generated requests from the API's own document: no 500, no undocumented answers.

A short form always runs; `QFC_SCHEMATHESIS_EXAMPLES=200` makes it a long one (200 examples per operation, about half an
hour). `schemathesis.toml` beside this file lists the exemptions and their reasons.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from node import Node

EXAMPLES = os.environ.get("QFC_SCHEMATHESIS_EXAMPLES", "3")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
PASSWORD = "correct-horse-battery"
TIMEOUT_S = 4 * 3600


def _log_in(node: Node) -> str:
    node.create_user("root", PASSWORD, superuser=True)
    answer = httpx.post(f"{node.url}auth/login/", data={"username": "root", "password": PASSWORD})
    return str(answer.json()["token"])


def _run(node: Node, token: str, folder: Path, *options: str) -> None:
    """Run every check on every chosen operation; fail with the report."""
    program = Path(sys.executable).with_name("st")
    document = node.url.replace("/api/v1/", "/swagger.yaml")
    argv = [str(program), "--config-file", str(CONFIGURATION), "run", document, "--checks", "all"]
    argv += ["--header", f"Authorization: Token {token}", "--max-examples", EXAMPLES, "--seed", "1"]
    argv += ["--continue-on-failure", "--suppress-health-check", "all", "--no-color", *options]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert _cases(done.stdout) > 0


def _cases(report: str) -> int:
    found = re.search(r"(\d+) generated", report)
    return int(found[1]) if found else 0


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S)
def test_generated_requests_find_nothing(node: Node, tmp_path: Path) -> None:
    _run(node, _log_in(node), tmp_path, "--exclude-operation-id", "auth_logout")
    assert '"level": "ERROR"' not in node.log


@pytest.mark.timeout(600)
def test_logging_out_is_as_described(node: Node, tmp_path: Path) -> None:
    """On its own: the operation ends the token that the others need."""
    _run(node, _log_in(node), tmp_path, "--include-operation-id", "auth_logout")
