"""Where `qfc` begins: until its modules are imported, Ctrl-C, closed streams and the end need care of their own.

Every import here takes time in which Ctrl-C would print a traceback, so it begins with none but those that Python has
loaded for itself.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal

#: Exit code of an interrupted command.
INTERRUPTED = 1


def main() -> NoReturn:
    """Run the command line that this process was started with."""
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        signal.signal(number, end_at_once)
    open_streams()
    from .cli.main import run

    for number in signals:
        signal.signal(number, signal.default_int_handler)
    code = run(sys.argv[1:])
    for number in signals:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(written(code))


def end_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """End without a traceback; nothing has been done yet."""
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


def open_streams() -> None:
    """Open the standard streams that the caller has closed, so that no file of ours gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 - open as long as the process


def written(code: int) -> int:
    """Write what is still in the buffers; return the exit code. A reader that has gone away is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout.fileno())
    except OSError as error:
        drop(sys.stdout.fileno())
        code = code or complain(f"Error: The output cannot be written: {error.strerror}.")
    try:
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr.fileno())
    return code


def drop(descriptor: int) -> None:
    """Let what remains in a buffer go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def complain(sentence: str) -> int:
    """Write a last sentence to standard error, if that is possible; return the exit code of a failure."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        drop(sys.stderr.fileno())
    return 1


if __name__ == "__main__":
    main()
