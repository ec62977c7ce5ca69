"""Takes multipart files straight into the staging folder, hashing on the way: memory stays flat whatever the size."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from .blobs import Blob, Staged, stage
from .errors import StorageError, UploadTooLargeError

#: Room for the parts of a multipart body that are not the file.
ENVELOPE_BYTES = 64 * 1024


class StagedUpload(UploadedFile):
    """An uploaded file in the staging folder. Closing it, as Django does after the answer, removes it from there."""

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
        """The identity of the bytes; they are in the store once the store has adopted them."""
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
        """Refuse what announces itself as too large. Raises UploadTooLargeError."""
        del input_data, META, boundary, encoding
        if content_length > settings.UPLOAD_MAX_BYTES + ENVELOPE_BYTES:
            raise UploadTooLargeError(f"At most {settings.UPLOAD_MAX_BYTES} bytes are accepted in one file.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a staging file. Raises StorageError."""
        super().new_file(*args, **kwargs)
        self._staged = stage()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write and hash. Raises StorageError, or UploadTooLargeError when the client announced less than it sends.

        What came until then is removed at once: on a full disk it would take the room from everybody else.
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
        """Hand the staged file to the view."""
        del file_size
        assert self._staged is not None
        staged, self._staged = self._staged, None
        return StagedUpload(staged, self.file_name or "", self.content_type, self.charset)

    def upload_interrupted(self) -> None:
        """Leave nothing of a connection that broke."""
        self._discard()

    def __del__(self) -> None:
        # An exception of this handler or of the parser ends the upload without a word to the handler.
        self._discard()

    def _discard(self) -> None:
        if self._staged is not None:
            self._staged.close()
            self._staged = None
