"""Write multipart files directly into the staging folder and hash them: memory use does not depend on their size."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from .blobs import Blob, Staged, stage
from .errors import StorageError, UploadTooLargeError

#: Allowance for the parts of a multipart body that are not the file.
ENVELOPE_BYTES = 64 * 1024


class StagedUpload(UploadedFile):
    """An uploaded file in the staging folder. Closing it removes it from there; Django does so after the response."""

    def __init__(self, staged: Staged, name: str, content_type: str | None, charset: str | None) -> None:
        super().__init__(
            file=None,
            name=name,
            content_type=content_type or "application/octet-stream",
            size=staged.blob.size,
            charset=charset,
        )
        self.staged = staged

    @property
    def blob(self) -> Blob:
        """The identity of the bytes. They are in the store only after it has adopted them."""
        return self.staged.blob

    def open(self, mode: str | None = None) -> Any:
        """Open the bytes for reading."""
        del mode
        source: BinaryIO = self.staged.path.open("rb")
        return source

    def close(self) -> None:
        """Remove the bytes from the staging folder."""
        self.staged.close()


class BlobUploadHandler(FileUploadHandler):
    """The only upload handler of the node."""

    chunk_size = 1024 * 1024
    _staged: Staged | None = None

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  (Django passes it by this name)
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Refuse a request whose announced length is too large. Raises UploadTooLargeError."""
        del input_data, META, boundary, encoding
        if content_length > settings.UPLOAD_MAX_BYTES + ENVELOPE_BYTES:
            raise UploadTooLargeError(f"At most {settings.UPLOAD_MAX_BYTES} bytes are accepted in one file.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Create a staging file. Raises StorageError."""
        super().new_file(*args, **kwargs)
        self._staged = stage()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write and hash a chunk. Raises StorageError, or UploadTooLargeError if more bytes arrive than were announced.

        On an error the received bytes are removed at once: on a full disk they would use space that others need.
        """
        assert self._staged is not None
        try:
            self._write(self._staged, start, raw_data)
        except (StorageError, UploadTooLargeError):
            self._discard()
            raise

    @staticmethod
    def _write(staged: Staged, start: int, raw_data: bytes) -> None:
        if start + len(raw_data) > settings.UPLOAD_MAX_BYTES:
            raise UploadTooLargeError(f"At most {settings.UPLOAD_MAX_BYTES} bytes are accepted in one file.")
        staged.write(raw_data)

    def file_complete(self, file_size: int) -> StagedUpload:
        """Return the staged file for the view."""
        del file_size
        assert self._staged is not None
        staged, self._staged = self._staged, None
        return StagedUpload(staged, self.file_name or "", self.content_type, self.charset)

    def upload_interrupted(self) -> None:
        """Remove the bytes of an interrupted upload."""
        self._discard()

    def __del__(self) -> None:
        # If this handler or the parser raises an exception, the upload ends without a call to the handler.
        self._discard()

    def _discard(self) -> None:
        if self._staged is not None:
            self._staged.close()
            self._staged = None
