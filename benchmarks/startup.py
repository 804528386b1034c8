"""CPU time until `seqkit --help`, and the --help of every command, has been answered.

    python benchmarks/startup.py [--repeats 5]

User and system time of the whole process, interpreter included; the least of several runs. The goal is 0.3 s.
A bare `python -c pass` and an interpreter that imports click are shown for comparison.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from resource import RUSAGE_CHILDREN, getrusage

import click

from seqkit.cli.main import seqkit

GOAL = 0.3


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words after `seqkit` of every command."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


def cpu_seconds(arguments: list[str], repeats: int) -> float:
    """The least CPU time of several runs, away from the checkout."""
    times = []
    for _ in range(repeats):
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(arguments, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, check=True)
        after = getrusage(RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    os.environ.pop("PYTHONPATH", None)
    for label, code in (("python -c pass", "pass"), ("import click", "import click")):
        print(f"{cpu_seconds([sys.executable, '-c', code], repeats):6.3f} s  {label}")
    slowest = 0.0
    for path in commands(seqkit):
        seconds = cpu_seconds([sys.executable, "-m", "seqkit.cli", *path, "--help"], repeats)
        slowest = max(slowest, seconds)
        print(f"{seconds:6.3f} s  {' '.join(('seqkit', *path, '--help'))}")
    print(f"slowest {slowest:.3f} s, goal {GOAL} s: {'met' if slowest <= GOAL else 'MISSED'}")
    return slowest > GOAL


if __name__ == "__main__":
    sys.exit(main())
