"""Where the configuration and the stacks are, as the environment says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

FILE = "config.toml"
CONFIG, HOME = "QFC_CONFIG", "QFC_HOME"
#: What they mean, for the reference page.
VARIABLES: Mapping[str, str] = {
    CONFIG: "The configuration file; without it, `config.toml` in the platform's configuration folder "
    "(`~/.config/qfc/config.toml`).",
    HOME: "The folder that holds the stacks. Without it, they are in the platform's data folder "
    "(`~/.local/share/qfc`), those of root in `/var/lib/qfc`.",
}


def config_path(environment: Mapping[str, str]) -> Path:
    """Return where the configuration file is or would be."""
    if named := environment.get(CONFIG):
        return Path(named).expanduser()
    return platform_file()


def home_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder that holds the stacks' data."""
    if named := environment.get(HOME):
        return Path(named).expanduser().absolute()
    return Path("/var/lib/qfc") if os.geteuid() == 0 else _platform_folder("data")


def platform_file() -> Path:
    """Return the file that is read where neither QFC_CONFIG nor QFC_HOME is set."""
    return _platform_folder("config") / FILE


def _platform_folder(what: Literal["config", "data"]) -> Path:
    """Return our folder among the platform's. The library is a tenth of a command's start, so it has to be needed."""
    import platformdirs

    folder = platformdirs.user_config_dir if what == "config" else platformdirs.user_data_dir
    return Path(folder("qfc"))


def is_deployment(folder: Path) -> bool:
    """Tell whether a folder of this machine holds a deployment: Compose's file, and a .env that names its host."""
    env = folder / ".env"
    try:
        text = env.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    names_host = re.search(r"^QFIELDCLOUD_HOST=", text, re.MULTILINE) is not None
    return names_host and (folder / "docker-compose.yml").is_file()
