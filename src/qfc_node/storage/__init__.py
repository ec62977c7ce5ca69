"""Bytes of files: content-addressed blobs, uploads on their way in, and the names that files may have."""
