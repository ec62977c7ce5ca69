"""Every table of the node, one module per concern. Tables and columns have QFieldCloud's names."""

from __future__ import annotations

from .accounts import Avatar, Organization, OrganizationMember, Person, Team, TeamMember, User, UserAccount, UserType
from .deltas import ApplyJob, ApplyJobDelta, Delta, DeltaStatus, ResentDelta
from .files import File, FileType, FileVersion
from .jobs import Job, JobStatus, JobType, PackageJob, ProcessProjectfileJob, Worker
from .limits import RateBucket, RateLimit, RateRefusal
from .plans import Package, PackageType, Plan, Subscription, SubscriptionStatus
from .projects import (
    Project,
    ProjectCollaborator,
    ProjectRole,
    ProjectRoleRow,
    ProjectSeed,
    ProjectType,
    PublicRole,
    Secret,
)
from .settings import Setting
from .tokens import AuthToken, ClientType

__all__ = [
    "ApplyJob",
    "ApplyJobDelta",
    "AuthToken",
    "Avatar",
    "ClientType",
    "Delta",
    "DeltaStatus",
    "File",
    "FileType",
    "FileVersion",
    "Job",
    "JobStatus",
    "JobType",
    "Organization",
    "OrganizationMember",
    "Package",
    "PackageJob",
    "PackageType",
    "Person",
    "Plan",
    "ProcessProjectfileJob",
    "Project",
    "ProjectCollaborator",
    "ProjectRole",
    "ProjectRoleRow",
    "ProjectSeed",
    "ProjectType",
    "PublicRole",
    "RateBucket",
    "RateLimit",
    "RateRefusal",
    "ResentDelta",
    "Secret",
    "Setting",
    "Subscription",
    "SubscriptionStatus",
    "Team",
    "TeamMember",
    "User",
    "UserAccount",
    "UserType",
    "Worker",
]
