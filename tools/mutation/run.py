"""Apply mutants one by one, run the tests, and report the score of each part and its survivors.

`tools/mutate` calls it in a copy of the repository; the first argument is the Python that runs the tests.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import TestOutcome
from parts import PARTS, near
from sampling import Mutation, sampled

#: Tests of a mutant may take so many times as long as without it, and this much more, in seconds.
TIMES, MORE_S = 3, 60
#: Stop at the first failure, load only what the tests need, and always generate the same examples: a score that changes
#: by chance says nothing.
OPTIONS = ("-x", "-q", "--no-header", *("-p", "no:cacheprovider", "-p", "no:schemathesis"), "--hypothesis-seed", "0")


class Runner:
    """Runs tests of one part in rounds: those that name the mutated module, then, unless `only_near`, all others."""

    def __init__(self, python: str, tests: Sequence[Path], modules: Iterable[Path], *, only_near: bool) -> None:
        self._python = python
        self._rounds = {module: _rounds(near(module, tests), tests, only_near) for module in modules}
        self._limit_s = TIMES * self._seconds_without_a_mutant() + MORE_S

    def outcome(self, mutation: Mutation) -> Any:
        """Return cosmic-ray's result."""
        commands = " && ".join(map(self._command, self._rounds[mutation.module_path]))
        return mutate_and_test([mutation], f"sh -c {shlex.quote(commands)}", self._limit_s)

    def _seconds_without_a_mutant(self) -> float:
        began = time.monotonic()
        tests = sorted({path for rounds in self._rounds.values() for files in rounds for path in files})
        done = subprocess.run(shlex.split(self._command(tests)), capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stdout[-2000:]}\nThe tests fail without a mutant, so they cannot judge any.")
        return time.monotonic() - began

    def _command(self, files: Sequence[Path]) -> str:
        return shlex.join([self._python, "-m", "pytest", *OPTIONS, *map(str, files)])


def _rounds(few: Sequence[Path], tests: Sequence[Path], only_near: bool) -> list[Sequence[Path]]:
    others = [] if only_near else [path for path in tests if path not in few]
    return [files for files in (few, others) if files]


def main(argv: Sequence[str]) -> int:
    """Test the parts; return 0 whatever the score is."""
    asked = _parser().parse_intermixed_args(argv)
    for name in asked.parts or PARTS:
        tests = PARTS[name].test_files()
        modules = [path for path in PARTS[name].modules(asked.only) if not asked.near or near(path, tests)]
        chosen, places = sampled(modules, asked.sample, asked.seed)
        print(f"\n== {name}: {len(chosen)} of {places} places in {len(modules)} files, seed {asked.seed}", flush=True)
        mutated = {mutation.module_path for mutation in chosen}
        runner = Runner(asked.python, tests, mutated, only_near=asked.near)
        _report(name, _survivors(runner, chosen), len(chosen))
    return 0


def _survivors(runner: Runner, chosen: Sequence[Mutation]) -> list[tuple[Mutation, str]]:
    survivors: list[tuple[Mutation, str]] = []
    for number, mutation in enumerate(chosen, 1):
        found = runner.outcome(mutation)
        survived = found.test_outcome is TestOutcome.SURVIVED
        print(f"{number:4} {'SURVIVED' if survived else 'killed  '} {_place(mutation)}", file=sys.stderr, flush=True)
        if survived:
            survivors.append((mutation, found.diff or ""))
    return survivors


def _report(name: str, survivors: Sequence[tuple[Mutation, str]], tried: int) -> None:
    for mutation, diff in survivors:
        print(f"\n{_place(mutation)}")
        print("\n".join(line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")))
    killed = tried - len(survivors)
    print(f"\n{name}: {killed} of {tried} mutants killed, {killed / max(1, tried):.0%}", flush=True)


def _place(mutation: Mutation) -> str:
    return f"{mutation.module_path}:{mutation.start_pos[0]}  {mutation.operator_name.removeprefix('core/')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/mutate", description="Mutation testing of some parts of the code.")
    parser.add_argument("python", help=argparse.SUPPRESS)
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"{', '.join(PARTS)}; by default all")
    parser.add_argument("--sample", type=int, default=60, help="places per part; 0: all (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="which places (default: 1)")
    parser.add_argument("--near", action="store_true", help="only modules that some tests name, and these tests")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose path contains it")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"There is no part {name!r}; the parts are {', '.join(PARTS)}.")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
