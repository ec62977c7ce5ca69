"""Real services for tests: one PostgreSQL server per run, and for every test a clone of a migrated database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from compose_world import NODE, Deployment, ensure_node_image, running_deployment
from engines_of_docker import IMAGES, DockerHost, bring_images, require_engine, second_engine
from minio_server import MinIO
from node import Node, node_environment
from ports import free_port
from qfc.drivers.postgres_server import Endpoint, connect, temporary_server
from queue_world import begin_moment
from requirements import require, server_with_postgis
from shared_database import SharedDatabases

# The duration of an example, or of generating it, means nothing on a machine that runs other programs as well.
# Examples are the same in every run, so that a new fault is found by whoever looks for it, and not by another's change.
settings.register_profile(
    "qfc",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="QFC_TEST_RANDOM" not in os.environ,
)
settings.load_profile("qfc")

#: A variable with the endpoint of a running server, as JSON; it has the template.
RUNNING_SERVER, TEMPLATE = "QFC_TEST_SERVER", "qfc_template"
#: Variables that configure the suite, the node, PostgreSQL, Docker or Django; tests must not see them.
CONFIGURING = ("QFC_", "QFIELDCLOUD", "POSTGRES", "PG", "DJANGO", "STORAGE", "DOCKER_", "COMPOSE_")


#: Bytes of a parameter that are more than this are not in the name of its test.
LONG_ID = 80
#: Tests in these folders are fast, unless they need a part that takes minutes to build.
FAST_FOLDERS = ("unit", "contract")
SLOW_PARTS = ("docker", "qgis", "s3", "postgis")
#: Deployments that several files share, the slower one first: one worker creates each and runs all their tests.
SHARED_DEPLOYMENTS = ("deployed_there", "docker_there", "deployed_here")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long bytes by their number: their content may depend on the time, and all workers need the same names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > LONG_ID else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark fast tests, and group tests by what they share: pytest-xdist runs each group in one of its workers."""
    for item in items:
        if "minio" in fixtures_of(item):
            item.add_marker("s3")
        if "postgis_server" in fixtures_of(item):
            item.add_marker("postgis")
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in FAST_FOLDERS and not any(item.get_closest_marker(part) for part in SLOW_PARTS):
            item.add_marker("fast")
        item.add_marker(pytest.mark.xdist_group(group_of(item)))


def group_of(item: pytest.Item) -> str:
    """Return the deployment that a test shares with others, else its file."""
    used = fixtures_of(item)
    return next((name for name in SHARED_DEPLOYMENTS if name in used), item.path.stem)


def fixtures_of(item: pytest.Item) -> set[str]:
    """Return the fixtures of a test, including those that its parameters name."""
    named = getattr(item, "callspec", None)
    return {*getattr(item, "fixturenames", ()), *map(str, named.params.values() if named else ())}


@pytest.fixture(autouse=True, scope="session")
def scrubbed_environment() -> Iterator[None]:
    """Run without the variables that configure the suite, the node, PostgreSQL or Django elsewhere."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(CONFIGURING) and not name.startswith(("QFC_TEST_", "QFC_SCHEMATHESIS_")):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def fresh_moment() -> None:
    """Count the times of rows from the beginning of each test."""
    begin_moment()


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path (Unix sockets need one) that a service account can pass."""
    folder = Path(tempfile.mkdtemp(prefix="qfc-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(short_folder: Path) -> Generator[Endpoint]:
    """A PostgreSQL server for the whole run; the one of `tools/mutate` serves many runs."""
    running = os.environ.get(RUNNING_SERVER)
    if running:
        yield Endpoint(**json.loads(running))
        return
    folder = short_folder / "postgres"
    folder.mkdir(mode=0o755)
    with temporary_server(folder, settings={"max_connections": "200"}) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def postgis_server(short_folder: Path) -> Generator[Endpoint]:
    """An installed PostgreSQL server with PostGIS, as somebody's own database, for the whole run."""
    programs = server_with_postgis()
    reason = "no server under /usr/lib/postgresql with PostGIS (Debian's package postgresql-postgis)"
    require("postgis", programs is not None, reason)
    folder = short_folder / "postgis"
    folder.mkdir(mode=0o755)
    # Jobs reach databases over TCP only; tests themselves use the socket.
    settings = {"listen_addresses": "127.0.0.1", "port": str(free_port())}
    with temporary_server(folder, postgres_bin=programs, settings=settings) as endpoint:
        _run_sql(endpoint, "create database postgis_template")
        # In a schema of its own, which is on nobody's search path.
        _run_sql(
            replace(endpoint, database="postgis_template"), "create schema gis; create extension postgis schema gis"
        )
        yield endpoint


@pytest.fixture
def remote(postgis_server: Endpoint) -> Iterator[Endpoint]:
    """An empty database with PostGIS."""
    name = f"field_{uuid.uuid4().hex[:12]}"
    _run_sql(postgis_server, f"create database {name} template postgis_template")
    yield replace(postgis_server, database=name)
    _run_sql(postgis_server, f"drop database {name} with (force)")


def make_template(server: Endpoint, folder: Path) -> Endpoint:
    """Create the database with the node's tables, of which tests get clones."""
    _run_sql(server, f"create database {TEMPLATE}")
    endpoint = replace(server, database=TEMPLATE)
    argv = [sys.executable, "-m", "qfc_node", "migrate", "--verbosity", "0"]
    subprocess.run(argv, env=node_environment(endpoint, folder), check=True, timeout=120)
    return endpoint


def _run_sql(server: Endpoint, statement: str) -> None:
    with connect(server, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def template_database(postgres_server: Endpoint, short_folder: Path) -> Endpoint:
    """A database with the node's tables and nothing in them."""
    if RUNNING_SERVER in os.environ:
        return replace(postgres_server, database=TEMPLATE)
    return make_template(postgres_server, short_folder / "template")


@pytest.fixture(scope="session")
def shared_databases(template_database: Endpoint) -> Iterator[SharedDatabases]:
    """Databases that tests of rows use one after the other; tests that change tables use `database`."""
    made = SharedDatabases(template_database)
    yield made
    made.close()


@contextmanager
def fresh_database(template: Endpoint) -> Generator[Endpoint]:
    """Clone the template for a block."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    server = replace(template, database="postgres")
    _run_sql(server, f"create database {name} template {template.database}")
    yield replace(template, database=name)
    _run_sql(server, f"drop database {name} with (force)")


@contextmanager
def fresh_folder(parent: Path) -> Generator[Path]:
    """Make an empty folder for a node's data for a block."""
    folder = parent / uuid.uuid4().hex[:8]
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(template_database: Endpoint) -> Iterator[Endpoint]:
    """A fresh database of the node for one test."""
    with fresh_database(template_database) as made:
        yield made


@pytest.fixture(scope="module")
def module_database(template_database: Endpoint) -> Iterator[Endpoint]:
    """A database of the node for all tests of a module, which empty it."""
    with fresh_database(template_database) as made:
        yield made


@pytest.fixture
def database_connection(database: Endpoint) -> Iterator[psycopg.Connection]:
    """A connection to the test's database."""
    with connect(database) as connection:
        yield connection


@pytest.fixture
def node_folder(short_folder: Path) -> Iterator[Path]:
    """An empty folder for a node's data."""
    with fresh_folder(short_folder) as made:
        yield made


@pytest.fixture(scope="module")
def module_folder(short_folder: Path) -> Iterator[Path]:
    """A folder for the data of a node that all tests of a module use."""
    with fresh_folder(short_folder) as made:
        yield made


@pytest.fixture(scope="session")
def django_ready(template_database: Endpoint, short_folder: Path) -> None:
    """Django, set up in this process; `node_database` gives it a database for one test."""
    os.environ.update(node_environment(template_database, short_folder / "django"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "qfc_node.settings"
    import django

    django.setup()
    from django.db import connection

    connection.close()


@pytest.fixture
def node_database(django_ready: None, database: Endpoint, node_folder: Path) -> Iterator[Endpoint]:
    """The node in this process on a fresh database and an empty folder."""
    from django.conf import settings
    from django.core.cache import cache
    from django.db import connection

    from qfc_node.storage.store import blob_store

    connection.close()
    connection.settings_dict["NAME"] = database.database
    before, settings.DATA_DIR = settings.DATA_DIR, node_folder
    hashers, settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS, ["django.contrib.auth.hashers.MD5PasswordHasher"]
    blob_store.cache_clear()
    cache.clear()
    yield database
    connection.close()
    settings.DATA_DIR, settings.PASSWORD_HASHERS = before, hashers
    blob_store.cache_clear()


@pytest.fixture
def node(database: Endpoint, node_folder: Path) -> Iterator[Node]:
    """A running node: an API server and no worker yet."""
    with Node(database, node_folder) as running:
        running.start_app()
        yield running


@pytest.fixture(scope="session")
def minio_server(short_folder: Path) -> Iterator[MinIO]:
    """A MinIO server with a bucket for the whole run."""
    program = shutil.which("minio")
    require("s3", program is not None, "the program minio is not on the path")
    assert program is not None
    folder = short_folder / "minio"
    folder.mkdir()
    server = MinIO(program, folder)
    server.start()
    server.make_bucket()
    yield server
    server.stop()


@pytest.fixture
def minio(request: pytest.FixtureRequest, minio_server: MinIO) -> MinIO:
    """The MinIO server, running; a test may stop it."""
    marked = request.node.get_closest_marker("s3")
    assert marked, "Mark it with s3: on a new machine, fast tests run while MinIO is still being built."
    minio_server.start()
    return minio_server


@pytest.fixture(scope="session")
def docker_here() -> DockerHost:
    """This machine's Docker engine with Compose v2, and the node's image on it."""
    engine = require_engine()
    ensure_node_image(engine)
    return engine


@pytest.fixture(scope="session")
def docker_there(docker_here: DockerHost, short_folder: Path) -> Iterator[DockerHost]:
    """A separate host with an engine and Compose v1, reached over SSH; it has the images that deployments need."""
    folder = short_folder / "host"
    folder.mkdir()
    with second_engine(folder) as engine:
        bring_images(docker_here, engine, [*IMAGES, f"{NODE}:latest"])
        yield engine


@pytest.fixture(scope="session")
def deployed_here(docker_here: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment on this machine that runs for the whole session; tests leave it as they found it."""
    with running_deployment(docker_here, short_folder / "here", short_folder / "home-here") as made:
        yield made


@pytest.fixture(scope="session")
def deployed_there(docker_there: DockerHost, short_folder: Path) -> Iterator[Deployment]:
    """A deployment on a server, managed over SSH, that runs for the whole session."""
    with running_deployment(docker_there, short_folder / "there", short_folder / "home-there") as made:
        yield made


@pytest.fixture(params=["deployed_here", "deployed_there"])
def deployed(request: pytest.FixtureRequest) -> Deployment:
    """A running deployment: here with Compose v2, and on a server over SSH with Compose v1."""
    return request.getfixturevalue(request.param)
