#!/usr/bin/env python
"""Draw the pictures in docs/images: the terminal from a real run of the demo, the map from the demo project.

Type: .venv/bin/python tools/make_pictures.py            all of them, about a minute
      .venv/bin/python tools/make_pictures.py map        only the map (by the node, and by QGIS where it is installed)
      .venv/bin/python tools/make_pictures.py terminal   only the terminal

The run uses a temporary QFC_HOME that is removed at the end; your own stack named demo is not touched.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
PROJECT = ROOT / "src/qfc/demo_project"
COLUMNS = 100
#: Fonts come from the reader's machine: the picture loads none from elsewhere.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code, ", "")
KEPT = ("PATH", "HOME", "LANG")
COMMANDS = ("status", "sync recent --limit 5", "deltas list", "health")
MAP_SIZE = (720, 510)
COLOURS = 128


def main(arguments: Sequence[str]) -> None:
    """Draw the pictures that the arguments name."""
    IMAGES.mkdir(exist_ok=True)
    if "map" in arguments or not arguments:
        make_maps()
    if "terminal" in arguments or not arguments:
        with quiet_home() as environment:
            make_terminals(environment)


def make_terminals(environment: Mapping[str, str]) -> None:
    """Run the demo to its end, then show its stack with a few commands."""
    shown = run(["demo", "--once"], environment)
    save("demo", "./demo --once", f"$ ./demo --once\n…\n{shown[shown.index('The demo:') :]}")
    run(["up"], environment)
    try:
        outputs = [f"$ qfc {command}\n{run(command.split(), environment)}" for command in COMMANDS]
    finally:
        run(["down"], environment)
    save("status", "qfc", "\n".join(outputs))


@contextmanager
def quiet_home() -> Generator[dict[str, str]]:
    """Yield an environment with its own QFC_HOME, under a path short enough for a socket."""
    home = Path(tempfile.mkdtemp(prefix="qfc-pictures-", dir="/tmp"))
    home.chmod(0o755)
    try:
        own = {"QFC_HOME": str(home), "QFC_CONFIG": str(home / "config.toml"), "QFC_STACK": "demo"}
        terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "COLORTERM": "truecolor"}
        yield {name: os.environ[name] for name in KEPT if name in os.environ} | own | terminal
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run qfc on a terminal; return its output with colours and without progress lines."""
    ours, theirs = pty.openpty()
    argv = [str(Path(sys.executable).with_name("qfc")), *arguments]
    process = subprocess.Popen(argv, env=dict(environment), stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    printed = _read(ours)
    if process.wait() != 0:
        raise SystemExit(f"qfc {' '.join(arguments)} failed:\n{printed}")
    return printed


def _read(descriptor: int) -> str:
    content = b""
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(65536):
                content += piece
        except OSError:  # on Linux, this means that the other end of the terminal is closed
            pass
    return content.decode().replace("\r\n", "\n").strip("\n") + "\n"


def save(name: str, title: str, printed: str) -> None:
    """Write the picture of a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in printed.splitlines():
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title=title, code_format=FORMAT, unique_id=name)
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")


def make_maps() -> None:
    """Draw the demo project as the node draws it, and as QGIS does where it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(PROJECT, project)
        save_map("thumbnail", drawn_by_node(project))
        picture = Path(folder) / "map.png"
        if drawn_by_qgis(project, picture):
            save_map("map", picture.read_bytes())


def drawn_by_node(project: Path) -> bytes:
    """Return the thumbnail that clients get."""
    from qfc_node.gis.native import NativeEngine

    return NativeEngine().report(project / "fibre_survey.qgs", lambda _line: None).thumbnail_png


def drawn_by_qgis(project: Path, picture: Path) -> bool:
    """Draw the map with the system's QGIS; return whether it has one."""
    script = Path(__file__).with_name("draw_map.py")
    argv = ["/usr/bin/python3", str(script), str(project / "fibre_survey.qgs"), str(picture), *map(str, MAP_SIZE)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(argv, env=environment, capture_output=True, check=False).returncode == 0


def save_map(name: str, content: bytes) -> None:
    """Write a picture of a map with few colours: it is small, and looks the same."""
    picture = Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS)
    picture.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
