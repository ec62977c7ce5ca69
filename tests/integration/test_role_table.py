"""The decision table of roles, cell by cell, as on the official server."""

from __future__ import annotations

import pytest

TABLE = """
SEE               admin manager editor reporter reader
READ_FILES        admin manager editor reporter reader
UPLOAD            admin manager editor reporter
READ_DELTAS       admin manager editor reporter
READ_JOBS         admin manager editor reporter reader
PACKAGE           admin manager editor reporter reader
CREATE_JOBS       admin manager editor reporter
PUSH_DELTAS       admin manager editor reporter
CREATE_FEATURES   admin manager editor reporter
CHANGE_FEATURES   admin manager editor
DELETE_FILES      admin manager editor
CHANGE            admin manager
COLLABORATORS     admin manager
APPLY_DELTAS      admin manager
CHANGE_RESTRICTED admin manager
SECRETS           admin
DELETE_VERSIONS   admin
"""


@pytest.mark.usefixtures("django_ready")
def test_every_cell_of_the_table() -> None:
    from qfc_node.core.models import ProjectRole
    from qfc_node.core.permissions import Action, is_allowed

    table = {line.split()[0]: set(line.split()[1:]) for line in TABLE.strip().splitlines()}
    assert set(table) == set(Action.__members__)
    decided = {action.name: {role.value for role in ProjectRole if is_allowed(role, action)} for action in Action}
    assert decided == table
    assert not any(is_allowed(None, action) for action in Action)


@pytest.mark.usefixtures("django_ready")
def test_the_stronger_role_counts() -> None:
    from qfc_node.core.models import ProjectRole
    from qfc_node.core.permissions import stronger

    assert stronger(ProjectRole.READER, ProjectRole.EDITOR) is ProjectRole.EDITOR
    assert stronger(ProjectRole.ADMIN, None) is ProjectRole.ADMIN
    assert stronger(None, None) is None
