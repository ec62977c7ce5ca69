"""The steps of a deployment. Each can run twice: an interrupted step is undone or run again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from ...errors import QfcError, RefusedError
from ...stack import drains
from ...stack.deploy_records import DUMP, ENV, FOLDER
from ...stack.env_file import EnvFile
from ...stack.migrations import not_in_release, planned
from ...stack.model import Health
from ...stack.passwords import changed_since
from ...stack.ports import Deployment, Ports
from ...stack.rollout import ImageSource, Record, Step
from ..management import MIGRATE_S
from ..ratelimit import reload_limits
from .gate import gate, remove_left_project
from .journal import Journal

APP, WORKER = "app", "worker_wrapper"
#: Seconds for the end of requests that began before writes were blocked.
SETTLE_S = 60.0
#: Seconds within which everything that was started has to be ready.
READY_S = 180.0


class Steps:
    """Runs the steps of one deployment, and records what each of them found."""

    def __init__(self, ports: Ports, journal: Journal) -> None:
        self._ports, self._journal = ports, journal

    @property
    def _deployment(self) -> Deployment:
        return self._ports.deployment

    @property
    def _record(self) -> Record:
        return self._journal.record

    def do(self, step: Step) -> None:
        """Run one step."""
        steps: dict[Step, Callable[[], None]] = {
            Step.SAVE: self.save,
            Step.CHECKOUT: self.checkout,
            Step.IMAGES: self.images,
            Step.DRAIN: self.drain,
            Step.HOLD: self.hold,
            Step.DUMP: self.dump,
            Step.RESTORE: self.restore,
            Step.MIGRATE: self.migrate,
            Step.STATIC: self.static,
            Step.START: self.start,
            Step.GATE: self.gate,
            Step.RELEASE: self.release,
        }
        steps[step]()

    def save(self) -> None:
        """Save what a rollback needs: .env, the current images under extra names, the list of migrations."""
        deployment, place = self._deployment, self._journal.place
        self._ports.records.write_text(f"{place}/{ENV}", deployment.settings.text())
        images = present_images(deployment)
        for service, (_, image_id) in images.items():
            deployment.images.keep(image_id, service, self._record.id)
        migrations = self._ports.directory.applied_migrations()
        unready_before = not_ready(self._ports)
        self._journal.write(
            lambda record: replace(record, images=images, migrations=migrations, unready_before=unready_before)
        )

    def checkout(self) -> None:
        """Check out the release; on a rollback also restore .env where the releases need different lines."""
        self._deployment.source.checkout(self._record.after, branch=self._record.branch_after)
        if self._record.env_from is not None:
            self._restore_env(f"{FOLDER}/{self._record.env_from}/{ENV}")

    def _restore_env(self, place: str) -> None:
        """Restore a kept .env, with the present passwords of database and store: these do not go back."""
        text, settings = self._ports.records.read_text(place), self._deployment.settings
        if text is not None:
            earlier = EnvFile(text)
            settings.restore(earlier.with_values(changed_since(earlier.values, settings.values())).text)

    def images(self) -> None:
        """Build or pull the images of the release, or restore the kept ones; check its migrations."""
        images, source = self._deployment.images, self._record.source
        if source is ImageSource.KEPT:
            for name, image_id in self._record.new_images.values():
                images.tag(image_id, name)
        else:
            self._journal.log(images.build(None) if source is ImageSource.BUILD else images.pull(None))
            new = named_images(self._deployment)
            self._journal.write(lambda record: replace(record, new_images=new))
        self._require_fitting_migrations()

    def drain(self) -> None:
        """Stop the workers after their jobs, which may send results through nginx: before it blocks writes.

        Whatever comes of the deployment, all workers run again at its end, also those that somebody had drained.
        """
        drains.clear(self._ports.records)
        self._deployment.rollout.drain()

    def hold(self) -> None:
        """Block writes, and wait for those that had begun."""
        if not self._record.password:
            self._journal.write(lambda record: replace(record, password=secrets.token_hex(16)))
        self._deployment.traffic.hold(self._record.password)
        if not self._deployment.traffic.settle(SETTLE_S):
            raise QfcError(
                f"Running uploads did not end within {SETTLE_S:.0f} s.",
                hint="Deploy at a quieter time; see: qfc logs --service nginx",
            )

    def dump(self) -> None:
        """Dump the database, to which nothing writes now, and read the dump back."""
        path = self._ports.records.folder(FOLDER, self._record.id) / DUMP
        dump = self._deployment.dumps.dump(path)
        self._journal.write(lambda record: replace(record, dump=dump.path))

    def restore(self) -> None:
        """Restore the database from the wanted dump."""
        assert self._record.restore is not None
        self._deployment.rollout.halt([APP])
        self._deployment.dumps.restore(self._ports.records.folder() / self._record.restore)

    def migrate(self) -> None:
        """Migrate the database with the release's own command."""
        self._journal.log(self._deployment.rollout.run(["migrate", "--no-input"], timeout_s=MIGRATE_S))

    def static(self) -> None:
        """Collect static files."""
        self._deployment.rollout.run(["collectstatic", "--no-input"], timeout_s=READY_S)

    def start(self) -> None:
        """Start everything but the workers: no job may run before the release is known to work."""
        self._deployment.rollout.converge(workers=0)
        self._deployment.rollout.await_ready(limit_s=READY_S, without=[WORKER])

    def gate(self) -> None:
        """Prove that the release works; one worker runs one job, before any other."""
        with gate(self._ports, self._record.password, self._note_project) as proof:
            proof.files()
            proof.move_to_front()
            self._deployment.rollout.converge(workers=1)
            proof.taken()
            # The worker stops after that job: other jobs wait until the release is known to work.
            self._deployment.rollout.drain()
            proof.job()

    def release(self) -> None:
        """Accept writes again, then start all workers, which may need to reach the API through nginx.

        A new container of nginx lacks the limits on synchronisations; it gets them back.

        From here on, going back would lose new work. If the gate could not remove its project, that is removed too.
        """
        self._deployment.traffic.release()
        if self._record.probe:
            remove_left_project(self._ports, self._record.probe, self._record.password)
        self._deployment.rollout.converge()
        self._deployment.rollout.await_ready(limit_s=READY_S, without=self._record.unready_before)
        reload_limits(self._ports)

    def _note_project(self, project_id: str) -> None:
        self._journal.write(lambda record: replace(record, probe=project_id))

    def _require_fitting_migrations(self) -> None:
        """Refuse a release that needs migrations without `--migrate`, or that is older than the data.

        A rollback that restores the data needs no check: they are those that the release had.
        """
        if self._record.restore is not None:
            return
        known, missing = planned(self._deployment.rollout.run(["showmigrations", "--plan"], timeout_s=READY_S))
        if missing and not self._record.migrate:
            hint = "Add --migrate." if self._record.kind == "deploy" else "Deploy that release instead, with --migrate."
            raise RefusedError(f"The release needs {len(missing)} migrations; the first is {missing[0]}.", hint=hint)
        newer = not_in_release(self._record.migrations, known)
        if newer:
            raise RefusedError(
                f"The database has {len(newer)} migrations that the release does not know; the last is {newer[-1]}.",
                hint="Restore the data too: qfc deploy rollback --with-data",
            )


def not_ready(ports: Ports) -> tuple[str, ...]:
    """Return the services that are incomplete or unhealthy."""
    return tuple(
        one.name
        for one in ports.runtime.services()
        if not one.is_task and (one.running < one.wanted or one.health is Health.UNHEALTHY)
    )


def present_images(deployment: Deployment) -> dict[str, tuple[str, str]]:
    """Return name and id of each service's image: the one its container runs, else the one its name stands for."""
    named = named_images(deployment)
    used = deployment.rollout.images_in_use()
    return {
        service: (name, used[service][1] if service in used else image_id)
        for service, (name, image_id) in named.items()
    }


def named_images(deployment: Deployment) -> dict[str, tuple[str, str]]:
    """Return name and id of the image that each service's image name stands for; missing images are left out."""
    names = deployment.rollout.facts().images
    ids = {service: image.id for image in deployment.images.all() for service in image.services}
    return {service: (name, ids[service]) for service, name in names.items() if service in ids}
