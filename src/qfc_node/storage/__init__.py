"""Bytes of files: content-addressed blobs, uploads on their way in, and the versions that name them."""
