"""What every layer promises, whatever the cell, the options, the mode and the precision."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest
import tensorflow as tf

from seqkit.layers import Bidirectional, DeepRNN, Recurrent

FACTORS = {
    "cell": [
        "RNN",
        "RNN all",
        "GRU simplified all",
        "GRU full all",
        "GRU reset-after",
        "GRU reset-after all",
        "LSTM",
        "LSTM all",
    ],
    "layer": ["Recurrent", "backwards", "Bidirectional", "DeepRNN"],
    "option": ["last", "sequences masked", "state masked", "stateful"],
    "mode": ["eager", "graph", "xla"],
    "policy": ["float32", "mixed_bfloat16"],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "last": {},
    "sequences masked": {"return_sequences": True},
    "state masked": {"return_state": True},
    "stateful": {"return_sequences": True, "return_state": True, "stateful": True},
}


def pairwise(factors: dict[str, list[str]]) -> list[tuple[str, ...]]:
    """Few rows in which any two values of two factors meet: greedily, always the row with most new pairs."""
    rows = list(product(*factors.values()))

    def pairs(row: tuple[str, ...]) -> set[Any]:
        return set(combinations(enumerate(row), 2))

    left = set().union(*map(pairs, rows))
    chosen = []
    while left:
        chosen.append(max(rows, key=lambda row: len(pairs(row) & left)))
        left -= pairs(chosen[-1])
    return chosen


def make(helpers: Any, cell: str, layer: str, option: str, policy: str) -> Any:
    """A built layer."""
    new, options = helpers.cells[cell], OPTIONS[option]
    if layer == "Bidirectional":
        found: Any = Bidirectional(new(dtype=policy, seed=1), **options)
    elif layer == "DeepRNN":
        found = DeepRNN([new(dtype=policy, seed=1), new(dtype=policy, seed=2)], residual=True, **options)
    else:
        found = Recurrent(new(dtype=policy, seed=1), go_backwards=layer == "backwards", **options)
    found.build(helpers.sequences().shape)
    return helpers.randomise(found)


def cells_of(layer: Any) -> list[Any]:
    inner = getattr(layer, "stack", None) or [getattr(layer, "forward", layer)]
    inner += [layer.backward] if isinstance(layer, Bidirectional) else []
    return [one.cell for one in inner]


def by_definition(helpers: Any, layer: Any, x: Any, mask: Any, states: Any) -> Any:
    """Outputs in the order of time, the last output, and a list of states."""
    cells, run = cells_of(layer), helpers.by_definition
    states = states or [None] * len(cells)
    if isinstance(layer, DeepRNN):
        outputs, last, state = run(cells[0], x, mask, states[0], training=True)
        above, above_last, second = run(cells[1], outputs, mask, states[1], training=True)
        return above + outputs, above_last + last, [state, second]
    if isinstance(layer, Bidirectional):
        pair = [
            run(cell, x, mask, state, backwards=back, training=True)
            for cell, state, back in zip(cells, states, (False, True), strict=True)
        ]
        outputs, last = (tf.concat([one[part] for one in pair], axis=-1) for part in (0, 1))
        shown = 1 if mask is None else mask[:, :, None].astype("float64")
        return outputs * shown, last, [one[2] for one in pair]
    outputs, last, state = run(cells[0], x, mask, states[0], backwards=layer.go_backwards, training=True)
    return outputs, last, [state]


def expected(helpers: Any, layer: Any, x: Any, mask: Any, calls: int) -> Any:
    """What the layer has to give out in the last of some calls."""
    states = None
    for _ in range(calls):
        states = states and [type(state)(*map(tf.stop_gradient, state)) for state in states]
        outputs, last, states = by_definition(helpers, layer, x, mask, states)
    output = last
    if layer.return_sequences:
        output = outputs[:, ::-1] if layer.go_backwards else outputs
    return (output, states) if layer.return_state else output


def check(helpers: Any, cell: str, layer: str, option: str, mode: str, policy: str) -> None:
    """A layer in training, against its definition run eagerly in float64."""
    exact, found = (make(helpers, cell, layer, option, dtype) for dtype in ("float64", policy))
    mask = helpers.mask if "masked" in option else None
    calls = 2 if option == "stateful" else 1
    for one in (exact, found):
        for number, own in enumerate(cells_of(one)):
            if own.seed_generator is not None:
                own.seed_generator.state.assign([9, number])
    x = helpers.sequences()
    x64, x32 = tf.constant(x, tf.float64), tf.constant(x)

    def call() -> Any:
        given = [found(x32, mask=mask, training=True) for _ in range(calls)]
        return given[-1]

    wanted = helpers.with_gradients(
        lambda: expected(helpers, exact, x64, mask, calls), [x64], exact.trainable_variables
    )
    got = helpers.run_in(mode, lambda: helpers.with_gradients(call, [x32], found.trainable_variables))
    helpers.assert_close(got, wanted, 1e-5 if policy == "float32" else 0.1)


PAIRS = pairwise(FACTORS)


@pytest.mark.parametrize(tuple(FACTORS), PAIRS)
def test_layers_are_their_definition_pairwise(
    helpers: Any, cell: str, layer: str, option: str, mode: str, policy: str
) -> None:
    check(helpers, cell, layer, option, mode, policy)


@pytest.mark.slow
@pytest.mark.parametrize(tuple(FACTORS), [row for row in product(*FACTORS.values()) if row not in PAIRS])
def test_layers_are_their_definition(
    helpers: Any, cell: str, layer: str, option: str, mode: str, policy: str
) -> None:
    check(helpers, cell, layer, option, mode, policy)


def test_the_selection_has_all_pairs() -> None:
    for (one, values), (other, others) in combinations(enumerate(FACTORS.values()), 2):
        assert {(row[one], row[other]) for row in PAIRS} == set(product(values, others))
    assert len(PAIRS) < len(list(product(*FACTORS.values()))) / 10
