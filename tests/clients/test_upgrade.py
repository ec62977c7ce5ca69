"""A node of an older release with projects and files: what the migrations make of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from node import node_environment
from qfc.drivers.postgres_server import Endpoint, connect

MIB = 1024**2
ROWS = """
insert into core_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
                       date_joined, type)
values (1, '', false, 'alice', '', '', '', false, true, now(), 1);
insert into core_project (id, name, description, created_at, updated_at, owner_id, overwrite_conflicts, is_public,
                          project_filename, thumbnail_uri, repackaging_cache_expire, file_storage_bytes,
                          packaging_offliner, has_restricted_projectfiles)
select gen_random_uuid(), name, '', now(), now(), 1, true, false, filename, '', interval '1 hour', 0, '', false
from (values ('survey', 'survey.qgs'), ('Shared_Datasets', null), ('shared_datasets', 'a.qgs')) as p (name, filename);
insert into filestorage_file (project_id, name, file_type, created_at)
select id, 'data.gpkg', 1, now() from core_project where name = 'survey';
insert into filestorage_fileversion (id, file_id, content, md5sum, sha256sum, size, uploaded_at, created_at)
select gen_random_uuid(), file.id, 'abc', decode(md5('x'), 'hex'), decode('00', 'hex'), size, now(), now()
from filestorage_file file, (values (100), (8388608), (9437184)) as v (size);
"""


def migrate(endpoint: Endpoint, folder: Path, *arguments: str) -> None:
    argv = [sys.executable, "-m", "qfc_node", "migrate", "--verbosity", "0", *arguments]
    subprocess.run(argv, env=node_environment(endpoint, folder), check=True, timeout=120)


def test_rows_of_an_older_release_are_kept(database: Endpoint, node_folder: Path) -> None:
    migrate(database, node_folder, "core", "0006")
    with connect(database, autocommit=True) as connection:
        connection.execute(ROWS)
    migrate(database, node_folder)
    with connect(database, autocommit=True) as connection:
        kinds = connection.execute("select name, project_type, is_featured from core_project order by 1, 2").fetchall()
        waiting = connection.execute(
            "select size from filestorage_fileversion where size > 8388608 and not etag like '%-%'"
        ).fetchall()
        digests = connection.execute("select distinct etag, md5sum from filestorage_fileversion").fetchall()
    assert set(kinds) == {
        ("survey", "regular", False),
        ("Shared_Datasets", "shared_datasets", False),
        ("shared_datasets", "regular", False),
    }
    assert waiting == [(9 * MIB,)], "an idle worker computes the tag of this one"
    assert digests == [("", hashlib.md5(b"x").digest())]
