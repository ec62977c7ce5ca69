"""The changes to nginx's configuration find their line in the files of each release, and go back."""

from __future__ import annotations

import subprocess
from itertools import chain
from pathlib import Path

import pytest

from qfc.lab.nginx import CHANGE, FOLDER, NGINX, PUT_BACK, Changed

#: Files as releases have them: of the node, before v26.8, and since (locations in a file that both servers include).
BASE = "server {\n  listen 80;\n  location / { return 301 x; }\n}\n"
PROTO = "proxy_set_header X-Forwarded-Proto $scheme;\n"
NODE = (
    BASE
    + f"server {{\n  location /staticfiles/ {{\n  }}\n  location / {{\n    {PROTO}  }}\n  location @app {{ }}\n}}\n"
)
V26_4 = (
    BASE + f"server {{\n  {PROTO}  location ^~ /api/ {{ }}\n  location / {{\n  }}\n  location @proxy_to_app {{ }}\n}}\n"
)
INCLUDED = f"{PROTO}location ^~ /api/ {{ }}\nlocation / {{\n}}\nlocation @proxy_to_app {{ }}\n"
SHAPES = {
    "node": {"default.conf": NODE},
    "v26.4": {"default.conf": V26_4},
    "v26.25": {
        "default.conf": "server { include conf.d/includes/qfieldcloud.conf; }\n",
        "includes/qfieldcloud.conf": INCLUDED,
    },
}
CHANGED = [one for one in NGINX if isinstance(one, Changed)]


def run(root: Path, script: str, *words: str) -> None:
    subprocess.run(["sh", "-c", script.replace(FOLDER, str(root)), "sh", *words], check=True, capture_output=True)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fault", CHANGED, ids=lambda one: one.id)
def test_a_change_is_made_and_undone(tmp_path: Path, fault: Changed, shape: str) -> None:
    for name, text in SHAPES[shape].items():
        path = tmp_path / "conf.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run(tmp_path, CHANGE, *chain(*fault.changes))
    changed = "".join((tmp_path / "conf.d" / name).read_text() for name in SHAPES[shape])
    assert changed != "".join(SHAPES[shape].values())
    assert changed.count("{") == changed.count("}")
    run(tmp_path, PUT_BACK)
    assert all((tmp_path / "conf.d" / name).read_text() == text for name, text in SHAPES[shape].items())
    assert not (tmp_path / "qfc-lab.default.conf").exists()


def test_a_file_without_the_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "conf.d/default.conf"
    path.parent.mkdir()
    path.write_text("server { location / { } }\n")
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, CHANGE, "X-Forwarded-Proto", "s/a/b/")
    assert not (tmp_path / "qfc-lab.default.conf").exists()
