"""The configuration of the suite: a TOML file < the environment < flags.

Each table of the file is a frozen dataclass whose fields say what is known of a setting (`schema.setting`): how it is
read, its default, what it means, for which kinds of stack. Reading, mistakes, variables, flags, writing and the page
docs/reference/configuration.md follow from them. A new table is its class and a line in `tables.TABLES`.

Writing needs another library and is imported where it is needed: `qfc.config.writing`.
"""

from .loading import Config, load, read_text
from .places import config_path, home_folder, is_deployment
from .tables import DEMO, StackConfig

__all__ = ["DEMO", "Config", "StackConfig", "config_path", "home_folder", "is_deployment", "load", "read_text"]
