"""Arguments for every command of `qfieldcloud-cli`, and a word that its output must contain.

The commands print text to standard error, and with `--json` to standard output. `qfieldcloud-cli` ends with 0 even if
it failed, so it runs inside this process, where its exceptions are visible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from click.testing import CliRunner, Result
from qfieldcloud_sdk.cli import cli
from qfieldcloud_sdk.sdk import OrganizationMemberRole, ProjectCollaboratorRole

from client_world import PASSWORD, ClientWorld
from qfc.demo.survey import shipped_project


@dataclass(frozen=True)
class Call:
    """The arguments, a word of the output, and the user."""

    arguments: list[str]
    answer: str
    username: str = "alice"


def run_cli(world: ClientWorld, call: Call, *, as_json: bool = False) -> Result:
    """Run a command as a user who logs in with it."""
    options = ["--url", world.node.url, "--username", call.username, "--password", PASSWORD]
    return CliRunner().invoke(cli, [*options, *(["--json"] if as_json else []), *call.arguments])


def _project_with_bob(world: ClientWorld) -> str:
    project_id = world.empty_project()
    world.alice.add_project_collaborator(project_id, "bob", ProjectCollaboratorRole.READER)
    return project_id


def _organization_with_bob(world: ClientWorld) -> str:
    organization = world.organization()
    world.alice.add_organization_member(organization, "bob", OrganizationMemberRole.MEMBER, is_public=False)
    return organization


def _team_of_bob(world: ClientWorld, *, member: bool) -> tuple[str, str]:
    organization = _organization_with_bob(world)
    team = world.team(organization)
    if member:
        world.alice.add_organization_team_member(organization, team, "bob")
    return organization, team


def _accounts() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "login": lambda _: Call(["login", "alice", PASSWORD], "Welcome to QFieldCloud, alice"),
        "logout": lambda _: Call(["logout"], "Successfully logged out"),
        "create-user": _create_user,
        "status": lambda _: Call(["status"], "Storage: ok"),
        "current-subscription": lambda _: Call(["current-subscription", "alice"], "Status: active_paid"),
    }


def _create_user(world: ClientWorld) -> Call:
    name = world.name("user")
    return Call(["create-user", name, PASSWORD, f"{name}@example.com"], f'Created user "{name}"', "root")


def _projects() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "list-projects": lambda world: Call(["list-projects"], world.empty_project()),
        "get-project": lambda world: Call(["get-project", world.packaged], world.packaged),
        "get-project-seed": lambda world: Call(["get-project-seed", world.seeded], "EPSG:25832"),
        "get-project-seed-xlsform": lambda world: Call(
            ["get-project-seed-xlsform", world.seeded, str(world.new_folder())], "survey.xlsx"
        ),
        "get-project-seed-json2qgis": lambda world: Call(
            ["get-project-seed-json2qgis", world.seeded, str(world.new_folder())], ".json"
        ),
        "create-project": lambda world: Call(["create-project", world.name("made"), "--is-public"], "Created project"),
        "delete-project": lambda world: Call(["delete-project", world.empty_project()], "Deleted project"),
        "patch-project": lambda world: Call(
            ["patch-project", world.empty_project(), "--description", "Changed by the command line"], "Patched project"
        ),
        "upload-project-thumbnail": lambda world: Call(
            ["upload-project-thumbnail", world.empty_project(), str(world.thumbnail())], "Uploaded thumbnail"
        ),
    }


def _files() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "list-files": lambda world: Call(["list-files", world.project_with(a__txt=b"A")], "a.txt"),
        "upload-files": lambda world: Call(
            ["upload-files", world.empty_project(), str(shipped_project()), "--filter", "*.jpg"], "Upload finished"
        ),
        "download-files": lambda world: Call(
            ["download-files", world.project_with(a__txt=b"A"), str(world.new_folder())], "Downloaded 1 file(s)"
        ),
        "delete-files": lambda world: Call(
            ["delete-files", world.project_with(a__txt=b"A"), "*.txt"], "1 file(s) deleted, 0 file(s) failed"
        ),
        "delete-file": lambda world: Call(
            ["delete-file", world.project_with(a__txt=b"A"), "a.txt"], "Successfully deleted file"
        ),
    }


def _jobs() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "list-jobs": lambda world: Call(["list-jobs", world.packaged, "--type", "package"], 'has status "finished"'),
        "job-trigger": lambda world: Call(
            ["job-trigger", world.packaged, "package", "--force"], "triggered for project"
        ),
        "job-status": lambda world: Call(
            ["job-status", world.alice.list_jobs(world.packaged)[-1]["id"]], "Job status for"
        ),
        "delta-push": lambda world: Call(
            ["delta-push", world.packaged, str(world.deltafile(world.packaged))], "pushed to project"
        ),
        "package-latest": lambda world: Call(["package-latest", world.packaged], "Packaging status for"),
        "package-download": lambda world: Call(
            ["package-download", world.packaged, str(world.new_folder())], "SUCCESS\tdata.gpkg"
        ),
    }


def _collaborators() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "collaborators-get": lambda world: Call(["collaborators-get", _project_with_bob(world)], "bob\treader"),
        "collaborators-add": lambda world: Call(
            ["collaborators-add", world.empty_project(), "bob", "editor"], 'Collaborator "bob" added'
        ),
        "collaborators-remove": lambda world: Call(
            ["collaborators-remove", _project_with_bob(world), "bob"], 'Collaborator "bob" removed'
        ),
        "collaborators-patch": lambda world: Call(
            ["collaborators-patch", _project_with_bob(world), "bob", "manager"], 'with role "manager"'
        ),
        "members-get": lambda world: Call(["members-get", _organization_with_bob(world)], "bob\tmember"),
        "members-add": lambda world: Call(
            ["members-add", world.organization(), "bob", "member", "--no-public"], 'Member "bob" added'
        ),
        "members-remove": lambda world: Call(
            ["members-remove", _organization_with_bob(world), "bob"], 'Member "bob" removed'
        ),
        "members-patch": lambda world: Call(
            ["members-patch", _organization_with_bob(world), "bob", "admin"], 'to role "admin"'
        ),
    }


def _teams() -> dict[str, Callable[[ClientWorld], Call]]:
    return {
        "teams-list": _teams_list,
        "teams-create": lambda world: Call(
            ["teams-create", world.organization(), "climbers"], 'Team "climbers" created'
        ),
        "teams-get": lambda world: Call(["teams-get", *_team_of_bob(world, member=True)], "Members: bob"),
        "teams-patch": lambda world: Call(
            ["teams-patch", *_team_of_bob(world, member=False), "--name", "splicers"], 'renamed to "splicers"'
        ),
        "teams-delete": lambda world: Call(["teams-delete", *_team_of_bob(world, member=False)], "was deleted"),
        "team-members-list": lambda world: Call(["team-members-list", *_team_of_bob(world, member=True)], "bob"),
        "team-members-add": lambda world: Call(
            ["team-members-add", *_team_of_bob(world, member=False), "bob"], 'Member "bob" added'
        ),
        "team-members-remove": lambda world: Call(
            ["team-members-remove", *_team_of_bob(world, member=True), "bob"], 'Member "bob" removed'
        ),
    }


def _teams_list(world: ClientWorld) -> Call:
    organization = world.organization()
    return Call(["teams-list", organization], world.team(organization))


CLI_CALLS: dict[str, Callable[[ClientWorld], Call]] = {
    **_accounts(),
    **_projects(),
    **_files(),
    **_jobs(),
    **_collaborators(),
    **_teams(),
}
