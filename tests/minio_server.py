"""A real S3 store for tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from node import end
from ports import free_port

ACCESS, SECRET, BUCKET = "qfc-test-access", "qfc-test-secret-key", "qfc-test"


class MinIO:
    """A MinIO server on a folder, with one bucket."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL of its API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, str]:
        """The node's settings for its bucket."""
        return {
            "STORAGE_BUCKET_NAME": BUCKET,
            "STORAGE_ACCESS_KEY_ID": ACCESS,
            "STORAGE_SECRET_ACCESS_KEY": SECRET,
            "STORAGE_ENDPOINT_URL": self.endpoint,
            "STORAGE_REGION_NAME": "us-east-1",
        }

    def make_bucket(self) -> None:
        """Create the bucket; the test fails without it."""
        make = (
            "import boto3, sys; boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id=sys.argv[2], "
            "aws_secret_access_key=sys.argv[3], region_name='us-east-1').create_bucket(Bucket=sys.argv[4])"
        )
        subprocess.run([sys.executable, "-c", make, self.endpoint, ACCESS, SECRET, BUCKET], check=True)

    def start(self) -> None:
        """Start the server unless it is running, and wait until it is ready."""
        if self._process is not None:
            return
        environment = {"MINIO_ROOT_USER": ACCESS, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(self._folder)}
        argv = [self._program, "server", "--quiet", "--address", f"127.0.0.1:{self._port}", str(self._folder / "data")]
        with (self._folder / "minio.log").open("ab") as log:
            self._process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log, start_new_session=True)
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.endpoint}/minio/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "minio.log").read_text())

    def stop(self) -> None:
        """SIGKILL the server."""
        if self._process is not None:
            end(self._process, signal.SIGKILL)
            self._process = None
