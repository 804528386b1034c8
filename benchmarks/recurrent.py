"""RNN, LSTM and GRU, forward and backward, against Keras and, where it is installed, PyTorch, in turns.

    python benchmarks/recurrent.py                                # all, float32, about half an hour
    python benchmarks/recurrent.py --quick                        # an LSTM at 20x35x200, less than 10 s
    python benchmarks/recurrent.py --shapes 20x35x650 --cells LSTM --rounds 5 --seconds 2
    python benchmarks/recurrent.py --forward --without "layer norm" zoneout weight-drop bfloat16

A step runs one layer along sequences, batch x time x units (as many features as units), and computes the
gradient by its input and all its weights; with `--forward` it only runs it, outside training. "RNN" is
that with tanh; "GRU" is the reset-after form, which all three have; "GRU full" is Keras'
`reset_after=False`, which PyTorch does not have. Each contestant (`_recurrent.py`) is a process of its
own, started once, that waits on its stdin; in a round each of them runs for `--seconds`, one after the
other. Ratios are taken round by round. Absolute figures depend on the machine; the ratios are what to
look at.

Tokens are batch x time. The first step includes tracing and compilation. Memory is the peak of the resident
set after 1 s of training, less what the process had before it made the layer; code is the part of it that is
pages of program files, of which a compiler has many.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

SHAPES = ("20x35x200", "20x35x650", "64x64x256", "8x512x128")
CELLS = ("RNN", "LSTM", "GRU", "GRU full")
OPTIONS = ("layer norm", "zoneout", "weight-drop")


@dataclass(frozen=True)
class Contestant:
    """What a process trains.

    Args:
        program: "seqkit", "Keras" or "PyTorch".
        cell: of `CELLS`.
        shape: batch, time, units.
        options: of the cell.
        warm: seconds of training before its memory is read and the rounds begin.
        training: compute gradients.
    """

    program: str
    cell: str
    shape: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    warm: float = 1
    training: bool = True


@dataclass(frozen=True)
class Goal:
    """What a contestant is held to.

    Args:
        against: label of the other one.
        ratio: of its tokens a second, at least; None where there is no goal, but a comparison.
    """

    against: str
    ratio: float | None


class Worker:
    """A contestant's process."""

    def __init__(self, contestant: Contestant) -> None:
        script = Path(__file__).with_name("_recurrent.py")
        command = [sys.executable, str(script), json.dumps(asdict(contestant))]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._tokens = contestant.shape[0] * contestant.shape[1]

    @functools.cached_property
    def start(self) -> dict[str, float]:
        """What is told when it can begin; waits for that."""
        return self._answer()

    def round(self, seconds: float) -> float:
        """Tokens a second of a round."""
        assert self._process.stdin
        print(seconds, file=self._process.stdin, flush=True)
        figures = self._answer()
        return figures["steps"] * self._tokens / figures["seconds"]

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self._process.args))} ended")  # type: ignore[arg-type]
        figures: dict[str, float] = json.loads(line)
        return figures

    def close(self) -> None:
        self._process.communicate()


def main() -> None:
    """Runs a contest for each shape and cell, and prints tables."""
    options = parse()
    found = []
    for shape in options.shapes:
        for cell in options.cells:
            rows = contest(cell, shape, options)
            found += rows
            show(rows, cell, shape)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shapes", nargs="+", type=parse_shape, default=[parse_shape(s) for s in SHAPES])
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--without", nargs="+", default=(), help="contestants to leave out, by their label")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2, help="of a contestant in a round")
    parser.add_argument("--forward", action="store_true", help="without gradients, as outside training")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--quick", action="store_true", help="a glance: one shape, one cell, no options")
    options = parser.parse_args()
    if options.quick:
        options.shapes, options.cells, options.rounds, options.seconds = (
            [parse_shape(SHAPES[0])],
            ["LSTM"],
            2,
            0.2,
        )
        options.without = [*options.without, *OPTIONS]
    return options


def parse_shape(text: str) -> tuple[int, ...]:
    batch, time, units = map(int, text.split("x"))
    return batch, time, units


def contestants(cell: str, shape: tuple[int, ...]) -> dict[str, tuple[Contestant, list[Goal]]]:
    """By label, with their goals."""
    gated = cell != "RNN"
    plain = [Goal("Keras", 1.8 if gated else None), Goal("PyTorch", 1.0 if gated else None)]
    found = {
        "seqkit": (Contestant("seqkit", cell, shape), plain),
        "Keras": (Contestant("Keras", cell, shape), []),
    }
    if cell != "GRU full" and importlib.util.find_spec("torch"):
        found["PyTorch"] = Contestant("PyTorch", cell, shape), []
    zoneout = {"zoneout_hidden": 0.1, "zoneout_cell": 0.1} if cell == "LSTM" else {"zoneout": 0.1}
    further: list[dict[str, Any]] = [{"layer_norm": True}, zoneout, {"weight_drop": 0.5}]
    for label, more in zip(OPTIONS, further, strict=True):
        found[label] = Contestant("seqkit", cell, shape, more), [Goal("seqkit", 0.8)]
    if gated:
        bfloat16 = Contestant("seqkit", cell, shape, {"dtype": "mixed_bfloat16"})
        goals = [Goal("PyTorch", 1.3 if shape[2] >= 512 else None), Goal("seqkit", None)]
        found["bfloat16"] = bfloat16, goals
    return found


def contest(cell: str, shape: tuple[int, ...], options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row of figures for each contestant."""
    known = {
        label: found for label, found in contestants(cell, shape).items() if label not in options.without
    }
    workers = {}
    for label, (contestant, _) in known.items():
        contestant = replace(contestant, training=not options.forward)
        # The first step is timed, so the others wait for it; a glance has no time for that.
        workers[label] = Worker(replace(contestant, warm=0.1) if options.quick else contestant)
        if not options.quick:
            _ = workers[label].start
    for worker in workers.values():
        _ = worker.start
    speeds: dict[str, list[float]] = {label: [] for label in known}
    for _ in range(options.rounds):
        for label, worker in workers.items():
            speeds[label].append(worker.round(options.seconds))
    for worker in workers.values():
        worker.close()
    return [
        {
            "cell": cell,
            "shape": shape,
            "label": label,
            "tokens_per_second": speeds[label],
            "first_step_seconds": workers[label].start["first"],
            "peak_mib": workers[label].start["mib"],
            "code_mib": workers[label].start["code"],
            "ratios": {
                goal.against: {
                    "goal": goal.ratio,
                    "rounds": [a / b for a, b in zip(speeds[label], speeds[goal.against], strict=True)],
                }
                for goal in goals
                if goal.against in speeds
            },
        }
        for label, (_, goals) in known.items()
    ]


def show(rows: list[dict[str, Any]], cell: str, shape: tuple[int, ...]) -> None:
    print(f"\n{cell} {'x'.join(map(str, shape))}", flush=True)
    for row in rows:
        ratios = [
            f"{statistics.median(found['rounds']):.2f} times {against} "
            f"({min(found['rounds']):.2f} to {max(found['rounds']):.2f}"
            f"{'; goal ' + str(found['goal']) if found['goal'] else ''})"
            for against, found in row["ratios"].items()
        ]
        speed = statistics.median(row["tokens_per_second"]) / 1e3
        start = f"first step {row['first_step_seconds']:4.1f} s  memory {row['peak_mib']:5.0f} MiB"
        start += f" (code {row['code_mib']:3.0f})"
        print(f"{row['label']:12} {speed:7.1f} k tokens/s  {start}  {', '.join(ratios)}", flush=True)


if __name__ == "__main__":
    main()
