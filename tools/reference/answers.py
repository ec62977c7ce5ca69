"""The `--json` answer of each command."""

from __future__ import annotations

from collections.abc import Mapping

from qfc.demo.results import Kill, ScenarioResult, Step
from qfc.operations.backup.drill import Drilled
from qfc.operations.backup.keys import Keys
from qfc.operations.backup.listing import SetsList
from qfc.operations.backup.lost import AppliedAgain
from qfc.operations.backup.make import BackedUp
from qfc.operations.backup.prune import SetsPruned
from qfc.operations.backup.restore import Restored
from qfc.operations.backup.restore_project import ProjectRestored
from qfc.operations.backup.verify import VerifiedSets
from qfc.operations.capacity_advise import Advised
from qfc.operations.capacity_report import Report
from qfc.operations.capacity_simulate import Simulated
from qfc.operations.certs import CertsStatus, Renewed
from qfc.operations.db_migrate import Migrated
from qfc.operations.deltas_list import DeltaLine, DeltaShown, DeltasList
from qfc.operations.deploy import Deployed, History
from qfc.operations.down import Down
from qfc.operations.image import ImageChanged, ImageStatus
from qfc.operations.init import Initialised
from qfc.operations.jobs_cleanup import Cleaned
from qfc.operations.jobs_list import JobShown, JobsList
from qfc.operations.jobs_view import JobLine
from qfc.operations.lab import LabChanged, LabList
from qfc.operations.maintenance.run import MaintenanceHistory, MaintenanceRun
from qfc.operations.maintenance.schedule import MaintenanceList, MaintenanceScheduled
from qfc.operations.metrics import MetricsImported, MetricsShown
from qfc.operations.monitor.install import MonitorUnit
from qfc.operations.monitor.orders import Ordered
from qfc.operations.monitor.review import AlertsList, MonitorStatus
from qfc.operations.monitor.review import Step as ReplayStep
from qfc.operations.monitor.trial import Trial
from qfc.operations.notices import NoticeChanged, NoticesShown
from qfc.operations.projects_export import Exported
from qfc.operations.projects_import import Imported
from qfc.operations.projects_list import ProjectsList
from qfc.operations.projects_status import ProjectStatus
from qfc.operations.protect import Protected
from qfc.operations.queue_change import Changed
from qfc.operations.ratelimit import RateLimitChanged, RateLimitStatus
from qfc.operations.service import ServiceUnit
from qfc.operations.services import ServicesChanged
from qfc.operations.services_disk import DiskUsage
from qfc.operations.services_prune import Pruned
from qfc.operations.stacks import Stacks
from qfc.operations.stacks_remove import StackRemoved
from qfc.operations.status import Status
from qfc.operations.sync_diagnose import Diagnosis
from qfc.operations.sync_queue import SyncQueue
from qfc.operations.sync_recent import SyncRecent
from qfc.operations.transfer.back import TakenBack
from qfc.operations.transfer.bring import ServerImported
from qfc.operations.transfer.export import ServerExported
from qfc.operations.transfer.run import Transferred
from qfc.operations.transfer.verify import Compared
from qfc.operations.tunnel import TunnelStatus
from qfc.operations.up import Up
from qfc.operations.upgrade.run import Upgraded
from qfc.operations.users_create import Account
from qfc.operations.users_disable import Access
from qfc.operations.users_list import UsersList
from qfc.operations.users_quota import Quota, QuotaChanged
from qfc.operations.users_unlock import Unlocked
from qfc.operations.workers_change import WorkersChanged
from qfc.operations.workers_list import WorkerLine, WorkersList
from qfc.skill.files import Installed
from qfc.stack.findings import Finding
from qfc.stack.metrics import Sample
from qfc.stack.model import AuditEntry, DatabaseStatus, LogLine, Plan, Project, Verdict
from qfc.stack.ports.monitoring import Incident, Note

from .shapes import keys

CHANGED = keys(Changed, "strict")
SERVICES_CHANGED = keys(ServicesChanged)
WORKERS_CHANGED = {**keys(WorkersChanged), "workers": [WorkerLine]}
DEPLOYED = {
    "from": str,
    "to": str,
    "from_commit": str,
    "to_commit": str,
    **keys(Deployed, "before", "after"),
    "checks": [{"name": str, "ok": bool, "detail": str, "blocks": bool, "verdict": Verdict}],
    "result": '"deployed" or "rolled_back" or "unchanged"',
}

FINDING = {**keys(Finding), "result": '"found" or "fixed" or "failed" or "skipped"'}
DIAGNOSIS = {**keys(Diagnosis), "findings": [FINDING]}

#: By command. `None`: the command has no JSON answer.
ANSWERS: Mapping[str, object] = {
    "upgrade": {"from": str, "to": str, **keys(Upgraded, "before", "after"), "result": '"upgraded" or "unchanged"'},
    "init": Initialised,
    "up": Up,
    "down": Down,
    "stacks": Stacks,
    "stacks remove": StackRemoved,
    "service install": ServiceUnit,
    "service uninstall": ServiceUnit,
    "service status": ServiceUnit,
    "demo": {
        "ok": bool,
        **keys(ScenarioResult, "steps", "kill", "planned"),
        "seconds": float,
        "steps": [Step],
        "kill": Kill | None,
        "status": "the answer of `qfc status`",
        "stopped": bool,
    },
    "status": Status,
    "health": {
        "stack": str,
        "verdict": Verdict,
        "checks": [{"name": str, "verdict": Verdict, "latency_ms": float | None, "detail": str}],
    },
    "logs": {"lines": [LogLine]},
    "audit": {"entries": [AuditEntry]},
    "monitor run": None,
    "monitor status": keys(MonitorStatus),
    "monitor pause": Ordered,
    "monitor resume": Ordered,
    "monitor incidents": {"incidents": [Incident]},
    "monitor log": {"notes": [Note]},
    "monitor replay": {"steps": [ReplayStep]},
    "monitor test-notify": Trial,
    "monitor install": MonitorUnit,
    "monitor uninstall": MonitorUnit,
    "alerts list": AlertsList,
    "alerts ack": Ordered,
    "alerts silence": Ordered,
    "alerts unsilence": Ordered,
    "users list": UsersList,
    "users create": Account,
    "users password": Account,
    "users disable": Access,
    "users unlock": Unlocked,
    "users quota": {**keys(Quota), "with --set or --plan": QuotaChanged},
    "users plans": {"plans": [Plan]},
    "notice": {**keys(NoticesShown), "with TEXT or --clear": NoticeChanged},
    "projects list": ProjectsList,
    "projects export": Exported,
    "projects import": Imported,
    "projects status": {**keys(Project), **keys(ProjectStatus, "project")},
    "sync queue": SyncQueue,
    "sync recent": SyncRecent,
    "sync failed": SyncRecent,
    "sync diagnose": DIAGNOSIS,
    "doctor": DIAGNOSIS,
    "jobs list": JobsList,
    "jobs show": {**keys(JobLine), **keys(JobShown, "job")},
    "jobs retry": {"retried": "the same as jobs", **CHANGED},
    "jobs cancel": {"cancelled": "the same as jobs", **CHANGED},
    "jobs cleanup": Cleaned,
    "deltas list": DeltasList,
    "deltas show": {**keys(DeltaLine), **keys(DeltaShown, "delta")},
    "deltas reapply": {"made": "the same as jobs", **CHANGED},
    "workers list": WorkersList,
    "workers scale": WORKERS_CHANGED,
    "workers drain": WORKERS_CHANGED,
    "workers restart": WORKERS_CHANGED,
    "protect": Protected,
    "ratelimit status": RateLimitStatus,
    "ratelimit enable": RateLimitChanged,
    "ratelimit disable": RateLimitChanged,
    "ratelimit throttle": RateLimitChanged,
    "ratelimit unthrottle": RateLimitChanged,
    "metrics show": MetricsShown,
    "metrics export": {"samples": [Sample]},
    "metrics import": MetricsImported,
    "metrics serve": None,
    "maintenance list": MaintenanceList,
    "maintenance run": MaintenanceRun,
    "maintenance install": MaintenanceScheduled,
    "maintenance uninstall": MaintenanceScheduled,
    "maintenance history": MaintenanceHistory,
    "capacity report": Report,
    "capacity advise": Advised,
    "capacity simulate": Simulated,
    "services restart": SERVICES_CHANGED,
    "services recreate": SERVICES_CHANGED,
    "services rebuild": SERVICES_CHANGED,
    "services prune": Pruned,
    "services disk": DiskUsage,
    "deploy": DEPLOYED,
    "deploy rollback": DEPLOYED,
    "deploy history": History,
    "image status": ImageStatus,
    "image save": ImageChanged,
    "image load": ImageChanged,
    "image rebuild": ImageChanged,
    "certs status": {
        **keys(CertsStatus),
        "judged": {"verdict": Verdict, "problems": [str], "remarks": [str]},
    },
    "certs renew": Renewed,
    "tunnel status": TunnelStatus,
    "db status": {**keys(DatabaseStatus), "tables": [{"name": str, "rows": int | None, "bytes": int}]},
    "db backup": BackedUp,
    "db list": SetsList,
    "db verify": VerifiedSets,
    "db restore": {**keys(Restored), "with --project instead": ProjectRestored},
    "db drill": Drilled,
    "db reapply": AppliedAgain,
    "db prune": SetsPruned,
    "db keys": Keys,
    "db migrate": Migrated,
    "db shell": None,
    "transfer run": Transferred,
    "transfer export": ServerExported,
    "transfer import": ServerImported,
    "transfer verify": Compared,
    "transfer back": TakenBack,
    "lab list": LabList,
    "lab break": LabChanged,
    "lab mend": LabChanged,
    "completion": None,
    "skill install": Installed,
    "skill path": Installed,
    "mcp": None,
}
