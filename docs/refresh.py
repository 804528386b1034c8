"""Run the commands of README.md's console blocks and put in what they really say.

    python docs/refresh.py

The lines that begin with `$ ` are run by bash, in order, in one temporary folder, on a terminal of 100
columns without colour; standard error is shown as a log file would have it.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", flags=re.MULTILINE | re.DOTALL)


def run(command: str, folder: str) -> str:
    """What a command shows on a terminal."""
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    while chunk := _read(master):
        shown += chunk
    process.wait()
    os.close(master)
    lines = shown.decode("utf-8").replace("\r\n", "\n").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux answers so when the last writer has closed a terminal
        return b""


def refreshed(block: str, folder: str) -> str:
    """A block with the same commands and new answers."""
    lines = block.replace("\\\n", "\\\x00").splitlines()
    commands = [line.replace("\\\x00", "\\\n") for line in lines if line.startswith("$ ")]
    answers = [f"{command}\n{run(command[2:], folder)}" for command in commands]
    return f"```console\n{''.join(answers)}```\n"


def main() -> None:
    old = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        README.write_text(BLOCK.sub(lambda match: refreshed(match[1], folder), old), encoding="utf-8")


if __name__ == "__main__":
    main()
