"""The configuration of the suite: a TOML file < the environment < flags.

Each table of the file is a frozen dataclass whose fields describe the settings (`schema.setting`): how each is read,
its default, its meaning, and the kinds of stack that have it. Reading, error messages, variables, flags, writing and
the page docs/reference/configuration.md are derived from them. A new table needs its class and a line in
`tables.TABLES`.

Writing needs another library, so it is imported only when needed: `qfc.config.writing`.
"""

from .loading import Config, load, read_text
from .places import config_path, home_folder, is_deployment
from .tables import (
    DEMO,
    AuditConfig,
    BackupConfig,
    MaintenanceConfig,
    MetricsConfig,
    MonitorConfig,
    NotifyConfig,
    RateLimitConfig,
    StackConfig,
    Switch,
)

__all__ = [
    "DEMO",
    "AuditConfig",
    "BackupConfig",
    "Config",
    "MaintenanceConfig",
    "MetricsConfig",
    "MonitorConfig",
    "NotifyConfig",
    "RateLimitConfig",
    "StackConfig",
    "Switch",
    "config_path",
    "home_folder",
    "is_deployment",
    "load",
    "read_text",
]
