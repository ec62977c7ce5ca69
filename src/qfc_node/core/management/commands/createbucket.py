"""`createbucket`: create the bucket that the settings name."""

from __future__ import annotations

import time
from typing import Any, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

PAUSE_S = 1.0


class Command(BaseCommand):
    """Creates the bucket unless it exists; waits for a store that is still starting."""

    help = "Create the bucket of STORAGE_BUCKET_NAME, unless it exists."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--wait", type=float, default=0, help="Seconds to wait for a store that does not answer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the bucket."""
        del args
        if not settings.STORAGE_BUCKET_NAME:
            self.stdout.write("No bucket is configured: files are stored in a folder.")
            return
        deadline = time.monotonic() + options["wait"]
        while True:
            try:
                is_new = _ensure_bucket(settings.STORAGES["blobs"]["OPTIONS"])
                break
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > deadline:
                    raise CommandError(f"The store cannot be used: {type(error).__name__}.") from error
                time.sleep(PAUSE_S)
        self.stdout.write(f"The bucket {settings.STORAGE_BUCKET_NAME} {'was created' if is_new else 'exists'}.")


def _ensure_bucket(options: dict[str, Any]) -> bool:
    """Create the bucket unless it exists; return whether it was created."""
    make = cast(Any, boto3).client  # no stubs
    client = make(
        "s3",
        endpoint_url=options["endpoint_url"],
        region_name=options["region_name"],
        aws_access_key_id=options["access_key"],
        aws_secret_access_key=options["secret_key"],
    )
    try:
        client.head_bucket(Bucket=options["bucket_name"])
    except ClientError as error:
        if cast(Any, error).response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        client.create_bucket(Bucket=options["bucket_name"])
        return True
    return False
