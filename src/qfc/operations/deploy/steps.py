"""The steps of a deployment. Each may be done twice: one that was broken off is undone or done again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from ...errors import QfcError, RefusedError
from ...stack.deploy_records import DUMP, ENV, FOLDER
from ...stack.migrations import planned
from ...stack.model import Health
from ...stack.ports import Deployment, Ports
from ...stack.rollout import ImageSource, Record, Step
from ..management import MIGRATE_S
from .gate import gate, remove_left_project
from .journal import Journal

APP, WORKER = "app", "worker_wrapper"
#: Seconds that requests may take which had begun before writers were held off.
SETTLE_S = 60.0
#: Seconds until everything that was started has to be ready.
READY_S = 180.0


class Steps:
    """Does the steps of one deployment, and writes down what each of them found."""

    def __init__(self, ports: Ports, journal: Journal) -> None:
        self._ports, self._journal = ports, journal

    @property
    def _deployment(self) -> Deployment:
        return self._ports.deployment

    @property
    def _record(self) -> Record:
        return self._journal.record

    def do(self, step: Step) -> None:
        """Do one step."""
        steps: dict[Step, Callable[[], None]] = {
            Step.SAVE: self.save,
            Step.CHECKOUT: self.checkout,
            Step.IMAGES: self.images,
            # Jobs that run may send their results through nginx: they end before it holds writers off.
            Step.DRAIN: self._deployment.rollout.drain,
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
        """Keep what the way back needs: .env, the images of now under names of their own, the migrations of now."""
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
        """Make the files those of the release; on the way back .env too where the releases want different lines."""
        self._deployment.source.checkout(self._record.after, branch=self._record.branch_after)
        if self._record.env_from is not None:
            text = self._ports.records.read_text(f"{FOLDER}/{self._record.env_from}/{ENV}")
            if text is not None:
                self._deployment.settings.restore(text)

    def images(self) -> None:
        """Build or pull the images of the release, or take those that were kept; look at its migrations."""
        images, source = self._deployment.images, self._record.source
        if source is ImageSource.KEPT:
            for name, image_id in self._record.new_images.values():
                images.tag(image_id, name)
        else:
            self._journal.log(images.build(None) if source is ImageSource.BUILD else images.pull(None))
            made = named_images(self._deployment)
            self._journal.write(lambda record: replace(record, new_images=made))
        self._require_fitting_migrations()

    def hold(self) -> None:
        """Hold off writers, and wait for those that had begun."""
        if not self._record.password:
            self._journal.write(lambda record: replace(record, password=secrets.token_hex(16)))
        self._deployment.traffic.hold(self._record.password)
        if not self._deployment.traffic.settle(SETTLE_S):
            raise QfcError(
                f"Uploads that had begun before did not end within {SETTLE_S:.0f} s.",
                hint="Deploy at a quieter time; see: qfc logs --service nginx",
            )

    def dump(self) -> None:
        """Dump the database, at rest now, and read the dump back."""
        path = self._ports.records.folder(FOLDER, self._record.id) / DUMP
        made = self._deployment.dumps.dump(path)
        self._journal.write(lambda record: replace(record, dump=made.path))

    def restore(self) -> None:
        """Bring the database back to that of the dump that is wanted."""
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
        """Start everything but workers: nothing of the queue is touched before the release is known to work."""
        self._deployment.rollout.converge(workers=0)
        self._deployment.rollout.await_ready(limit_s=READY_S, without=[WORKER])

    def gate(self) -> None:
        """Prove that the release works; one worker does one job, before any other."""
        with gate(self._ports, self._record.password, self._note_project) as proof:
            proof.files()
            proof.move_to_front()
            self._deployment.rollout.converge(workers=1)
            proof.taken()
            # It ends after that job: others are for workers of a release that is known to work.
            self._deployment.rollout.drain()
            proof.job()

    def release(self) -> None:
        """Let writers in again, then start all workers, who may need to reach the API through nginx.

        From here on going back would lose what they write and do. A project that the gate could not remove goes too.
        """
        self._deployment.traffic.release()
        if self._record.probe:
            remove_left_project(self._ports, self._record.probe, self._record.password)
        self._deployment.rollout.converge()
        self._deployment.rollout.await_ready(limit_s=READY_S, without=self._record.unready_before)

    def _note_project(self, project_id: str) -> None:
        self._journal.write(lambda record: replace(record, probe=project_id))

    def _require_fitting_migrations(self) -> None:
        """Refuse a release that wants migrations nobody asked for, or that is older than the data.

        Where the data of then come back, they are those that the release had.
        """
        if self._record.restore is not None:
            return
        known, missing = planned(self._deployment.rollout.run(["showmigrations", "--plan"], timeout_s=READY_S))
        if missing and not self._record.migrate:
            hint = "Add --migrate." if self._record.kind == "deploy" else "Deploy that release instead, with --migrate."
            raise RefusedError(f"The release wants {len(missing)} migrations, the first is {missing[0]}.", hint=hint)
        apps = {name.partition(".")[0] for name in known}
        newer = [name for name in self._record.migrations if name not in known and name.partition(".")[0] in apps]
        if newer:
            raise RefusedError(
                f"The database has {len(newer)} migrations that the release does not know, the last is {newer[-1]}.",
                hint="Go back with the data of then: qfc deploy rollback --with-data",
            )


def not_ready(ports: Ports) -> tuple[str, ...]:
    """Return the services that are not as they should be now."""
    return tuple(
        one.name
        for one in ports.runtime.services()
        if not one.is_task and (one.running < one.wanted or one.health is Health.UNHEALTHY)
    )


def present_images(deployment: Deployment) -> dict[str, tuple[str, str]]:
    """Return name and id of each service's image: the one that its container was made of, else that of its name."""
    named = named_images(deployment)
    used = deployment.rollout.images_in_use()
    return {
        service: (name, used[service][1] if service in used else image_id)
        for service, (name, image_id) in named.items()
    }


def named_images(deployment: Deployment) -> dict[str, tuple[str, str]]:
    """Return name and id of the image that each service's name stands for now; one that is not there is left out."""
    names = deployment.rollout.facts().images
    ids = {service: image.id for image in deployment.images.all() for service in image.services}
    return {service: (name, ids[service]) for service, name in names.items() if service in ids}
