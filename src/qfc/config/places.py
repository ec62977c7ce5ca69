"""The places of the configuration and the stacks, as the environment defines them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ..errors import ConfigError

FILE = "config.toml"
CONFIG, HOME = "QFC_CONFIG", "QFC_HOME"
#: Their meaning, for the reference page.
VARIABLES: Mapping[str, str] = {
    CONFIG: "The configuration file; without it, `config.toml` in `QFC_HOME` where that is set, else in the platform's "
    "configuration folder (`~/.config/qfc/config.toml`).",
    HOME: "The folder of the stacks and their `config.toml`, independent of all others. Without it, the stacks are in "
    "the platform's data folder (`~/.local/share/qfc`), those of root in `/var/lib/qfc`.",
}


def config_path(environment: Mapping[str, str]) -> Path:
    """Return the path of the configuration file, whether or not it exists."""
    if named := environment.get(CONFIG):
        return Path(named).expanduser()
    return home_folder(environment) / FILE if environment.get(HOME) else platform_file()


def home_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder that holds the stacks' data."""
    if named := environment.get(HOME):
        return Path(named).expanduser().absolute()
    return Path("/var/lib/qfc") if os.geteuid() == 0 else _platform_folder("data")


def platform_file() -> Path:
    """Return the file that is read when neither QFC_CONFIG nor QFC_HOME is set."""
    return _platform_folder("config") / FILE


def _platform_folder(what: Literal["config", "data"]) -> Path:
    """Return our folder among the platform's. Importing the library takes a tenth of a command's start-up time."""
    import platformdirs

    folder = platformdirs.user_config_dir if what == "config" else platformdirs.user_data_dir
    return Path(folder("qfc"))


def left_behind(old: Path, new: Path) -> ConfigError:
    """Return the error for a home whose configuration is still in the place from before homes had their own."""
    sentence = f"{old} has stacks of this QFC_HOME, but is not read while QFC_HOME is set, and {new} is missing."
    before, now = shlex.quote(str(old)), shlex.quote(str(new))
    return ConfigError([sentence], hint=f"Type: cp {before} {now}   (or set QFC_CONFIG={before})")


def is_deployment(folder: Path) -> bool:
    """Return whether a folder of this machine is a deployment: it has docker-compose.yml, and .env with its host."""
    env = folder / ".env"
    try:
        text = env.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    names_host = re.search(r"^QFIELDCLOUD_HOST=", text, re.MULTILINE) is not None
    return names_host and (folder / "docker-compose.yml").is_file()
