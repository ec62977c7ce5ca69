"""Read a large JSON object piece by piece: its members, and one of its lists item by item, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, BinaryIO

CHUNK = 256 * 1024
BLANKS = re.compile(r"[ \t\n\r]*")
ESCAPED = re.compile(rb"\\.", re.DOTALL)
OPENING, CLOSING = b"[{", b"]}"
BRACKETS = OPENING + CLOSING
NOT_BRACKETS = bytes(set(range(256)) - set(BRACKETS))


class TooLargeJsonError(Exception):
    """The document exceeds a limit; the message names it."""


@dataclass(frozen=True)
class JsonLimits:
    """What one item of the list may have at most, far below what harms the server."""

    depth: int
    item_bytes: int
    item_values: int


class Guard:
    """Counts depth, bytes and values of JSON as bytes arrive, before they become objects of many times their size."""

    def __init__(self, limits: JsonLimits) -> None:
        self.limits = limits
        self._depth = self._bytes = self._values = 0
        self._open = b""

    def item_ended(self) -> None:
        """Count again from zero: an item was complete."""
        self._bytes = self._values = 0

    def check(self, chunk: bytes) -> None:
        """Take in the next bytes. Raises TooLargeJsonError, and RecursionError for JSON that is nested too deeply."""
        if self._bytes > self.limits.item_bytes:
            raise TooLargeJsonError(f"one edit may have at most {self.limits.item_bytes} bytes")
        if self._values > self.limits.item_values:
            raise TooLargeJsonError(f"one edit may have at most {self.limits.item_values} values")
        structure = self._outside_of_strings(chunk)
        self._bytes += len(chunk)
        self._values += structure.count(b",") + structure.count(b"[") + structure.count(b"{")
        self._check_depth(structure.translate(None, NOT_BRACKETS))

    def _outside_of_strings(self, chunk: bytes) -> bytes:
        text = self._open + chunk
        if b"\\" in text:
            text = ESCAPED.sub(b"", text)
        parts = text.split(b'"')
        is_inside = len(parts) % 2 == 0
        self._open = b'"' + (b"\\" if text.endswith(b"\\") else b"") if is_inside else b""
        return b"".join(parts[::2])

    def _check_depth(self, brackets: bytes) -> None:
        for bracket in brackets:
            self._depth += 1 if bracket in OPENING else -1
            if self._depth > self.limits.depth:
                raise RecursionError(f"more than {self.limits.depth} levels")


class JsonStream:
    """The members of one JSON object: `(name, value)`; of the list named `split` each item as `(name, item)`."""

    def __init__(self, source: BinaryIO, split: str, decoder: JSONDecoder, limits: JsonLimits) -> None:
        self.split = split
        self._source, self._decoder, self._guard = source, decoder, Guard(limits)
        self._text_of = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self._is_complete = "", 0, False

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield the members in their order. Raises JSONDecodeError, UnicodeError and what `Guard` raises."""
        self._expect("{")
        if not self._accepts("}"):
            while True:
                name = self._value()
                if not isinstance(name, str):
                    raise self._error("Expecting property name enclosed in double quotes")
                self._expect(":")
                yield from self._member(name)
                if not self._accepts(","):
                    break
            self._expect("}")
        if self._peek():
            raise self._error("Extra data")

    def _member(self, name: str) -> Iterator[tuple[str, Any]]:
        if name != self.split or not self._accepts("["):
            yield name, self._value()
            return
        if self._accepts("]"):
            return
        while True:
            yield name, self._value()
            if not self._accepts(","):
                break
        self._expect("]")

    def _value(self) -> Any:
        """Parse one value; read on as long as it is not complete."""
        self._peek()
        wanted = CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except JSONDecodeError:
                if self._is_complete:
                    raise
            else:
                if end < len(self._text) or self._is_complete:
                    self._at = end
                    self._guard.item_ended()
                    return value
            self._read(wanted)
            wanted *= 2

    def _peek(self) -> str:
        """Return the next character that is no blank; empty at the end."""
        while True:
            self._at = BLANKS.match(self._text, self._at).end()  # pyright: ignore[reportOptionalMemberAccess]
            if self._at < len(self._text) or self._is_complete:
                return self._text[self._at : self._at + 1]
            self._read(CHUNK)

    def _accepts(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._accepts(character):
            raise self._error(f"Expecting {character!r}")

    def _error(self, message: str) -> JSONDecodeError:
        return JSONDecodeError(message, self._text, min(self._at, len(self._text)))

    def _read(self, count: int) -> None:
        pieces = [self._text[self._at :]]
        self._at = 0
        while count > 0 and not self._is_complete:
            chunk = self._source.read(CHUNK)
            self._guard.check(chunk)
            count -= len(chunk)
            self._is_complete = not chunk
            pieces.append(self._text_of.decode(chunk, final=not chunk))
        self._text = "".join(pieces)
