"""Counts the versions in the application's buckets. It runs in the application's container, alone, under its Python.

bucket_versions.py look SECONDS    print what each S3 store of STORAGES holds; at most so long
bucket_versions.py expire DAYS     let these stores remove versions that were deleted so many days ago
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, cast

#: The keys of projects begin with it; other keys are left alone.
PREFIX = "projects/"
RULE = "qfc-deleted-versions"
NO_RULES = "NoSuchLifecycleConfiguration"


def main() -> None:
    verb, number = sys.argv[1], int(sys.argv[2])
    stores = json.loads(os.environ.get("STORAGES") or "{}")
    opened_ones = {name: opened(one["OPTIONS"]) for name, one in stores.items() if "S3" in one.get("BACKEND", "")}
    if verb == "look":
        until = time.monotonic() + number
        print(json.dumps([look(name, *one, until) for name, one in opened_ones.items()]))
        return
    for client, bucket in opened_ones.values():
        if is_versioned(client, bucket):
            expire(client, bucket, number)


def opened(options: dict[str, Any]) -> tuple[Any, str]:
    import boto3  # pyright: ignore[reportMissingTypeStubs]
    from botocore.config import Config

    client: Any = cast(Any, boto3).client(
        "s3",
        endpoint_url=options.get("endpoint_url") or None,
        region_name=options.get("region_name") or None,
        aws_access_key_id=options.get("access_key"),
        aws_secret_access_key=options.get("secret_key"),
        config=Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2}),
    )
    return client, str(options["bucket_name"])


def look(name: str, client: Any, bucket: str, until: float) -> dict[str, Any]:
    """Return what a bucket holds for each project: bytes of present versions, and of deleted ones."""
    told: dict[str, Any] = {"store": name, "keeps_deleted": False, "is_whole": True}
    projects: dict[str, list[int]] = {}
    if is_versioned(client, bucket):
        told["keeps_deleted"] = not any(removes(rule) for rule in rules(client, bucket))
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=PREFIX):
            for one in page.get("Versions", []):
                sums = projects.setdefault(one["Key"].split("/")[1], [0, 0])
                sums[0 if one["IsLatest"] else 1] += one["Size"]
            if time.monotonic() > until:
                told["is_whole"] = False
                break
    return {**told, "projects": projects}


def is_versioned(client: Any, bucket: str) -> bool:
    return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


def rules(client: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        return client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except client.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") == NO_RULES:
            return []
        raise


def removes(rule: dict[str, Any]) -> bool:
    """Return whether a rule removes deleted versions of all projects."""
    narrowed = rule.get("Filter", {})
    covers = PREFIX.startswith(narrowed.get("Prefix", rule.get("Prefix", "")))
    whole = covers and not {"And", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"} & narrowed.keys()
    return whole and rule.get("Status") == "Enabled" and "NoncurrentVersionExpiration" in rule


def expire(client: Any, bucket: str, days: int) -> None:
    """Add a rule to those that the bucket has."""
    mine = {
        "ID": RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": PREFIX},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }
    others = [one for one in rules(client, bucket) if one.get("ID") != RULE]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [*others, mine]})


if __name__ == "__main__":
    main()
