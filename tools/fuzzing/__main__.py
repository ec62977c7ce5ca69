"""Fuzz targets one after the other, each in a process of its own, because the fuzzer ends its process."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qfc_node.gis"]):
    from fuzzing.targets import TARGETS, Target

#: Most bytes of an input: readers are of the same kind for small and for large files.
_LONGEST = 65536
#: Seconds after which one input counts as one that never ends, and most memory, in MB.
_TIMEOUT, _MEMORY = 20, 2048
#: Each input is a file that is packaged and edited: on a disk, most of the time goes into waiting for it.
_IN_MEMORY = Path("/dev/shm")  # nosec B108 -- a folder of its own below it


def main() -> int:
    """Fuzz; return 1 if an input was found that a reader does not handle."""
    asked = _arguments()
    if asked.child:
        _fuzz(TARGETS[asked.targets[0]], asked)
    argv = [sys.executable, "-m", "fuzzing", "--child", "--seconds", str(asked.seconds), "--runs", str(asked.runs)]
    failed = [
        name for name in asked.targets or sorted(TARGETS) if subprocess.run([*argv, *_input(asked), name]).returncode
    ]
    print(f"Failed: {', '.join(failed)}" if failed else "No reader failed.")
    return int(bool(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _input(asked: argparse.Namespace) -> list[str]:
    return ["--input", str(asked.input)] if asked.input else []


def _fuzz(target: Target, asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as name:
        folder, seeds = Path(name) / "work", Path(name) / "seeds"
        folder.mkdir()
        seeds.mkdir()
        for number, seed in enumerate(target.seeds(Path(name))):
            if len(seed) > _LONGEST:
                sys.exit(f"Input {number} to begin with is longer than {_LONGEST} bytes.")  # its end would be cut off
            (seeds / str(number)).write_bytes(seed)
        if asked.input:
            target.read(asked.input.read_bytes(), folder)
            sys.exit(0)
        found = Path(tempfile.gettempdir()) / f"fuzz-{target.name}-"
        options = [f"-max_total_time={asked.seconds}", f"-runs={asked.runs}", f"-max_len={_LONGEST}", "-seed=1"]
        options += [
            f"-timeout={_TIMEOUT}",
            f"-rss_limit_mb={_MEMORY}",
            f"-artifact_prefix={found}",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, str(seeds)], lambda data: target.read(data, folder))
        atheris.Fuzz()


sys.exit(main())
