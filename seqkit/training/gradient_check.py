"""Is the gradient the derivative of the loss? Two-sided differences tell, weight by weight."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError

ROUNDINGS = 10
"""Units in the last place by which J may be off; a difference of two then is by so many, over 2ε."""


@dataclass(frozen=True)
class GradientCheck:
    """What `gradient_check` found.

    Args:
        differences: of each trainable variable, by its path, and a number where others have the same,
            "hidden/kernel (2)": ‖dθ_approx - dθ‖ / (‖dθ_approx‖ + ‖dθ‖), from 0 for equal to 1 for opposite;
            0 where both are 0, as far as the rounding of J lets differences tell.
    """

    differences: dict[str, float]

    @property
    def worst(self) -> str:
        """The variable with the largest difference; one without a number, NaN, is the largest."""
        return max(self.differences, key=lambda name: (math.isnan(value := self.differences[name]), value))

    @property
    def largest(self) -> float:
        """The largest difference. In float64, 1e-7 is right, and above 1e-5, or NaN, something is wrong."""
        return self.differences[self.worst]


def gradient_check(
    model: Any,
    inputs: Any,
    targets: Any,
    loss: Any,
    *,
    training: bool = False,
    change: float = 1e-5,
    entries: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compares the gradient of a model with two-sided differences of its loss.

        dθ_approx = (J(θ + ε) - J(θ - ε)) / 2ε        for one entry of θ after the other

    Each evaluation begins with the same variables that are not trained, so masks of dropout are held fixed:
    the generators of random numbers are such variables. All are left as they were.

    Args:
        model: a Keras model or layer that is built, in float64.
        inputs: what it is called with.
        targets: what the loss compares with.
        loss: a loss of Keras or its name, or a function of targets and outputs, which a model of several
            outputs needs; its mean is taken. The model's own losses, of regularizers, are added.
        training: call the model as in training.
        change: ε.
        entries: how many entries of each variable are tried at most, drawn by `seed`; None for all.
        seed: of the entries.

    Raises:
        UsageError: if the model has nothing to train or is not float64: in float32 the rounding of J hides
            the sixth digit of a difference; there is no loss, or one of Keras for several outputs; a number
            is out of range.
    """
    import keras
    import tensorflow as tf

    from seqkit.cells.checks import checked_count, checked_number, checked_seed

    variables = list(model.trainable_variables)
    _check_variables(model, variables)
    if not 0 < checked_number("change", change) < 1:
        raise UsageError(f"change must be above 0 and below 1, not {change}")
    entries = None if entries is None else checked_count("entries", entries)
    compare = keras.losses.get(loss)
    if compare is None:
        raise UsageError("there is no loss to differentiate: give one of Keras, or a function")
    if isinstance(compare, keras.losses.Loss):
        compare = compare.call  # called itself, it would round to the default float32 first

    def total() -> Any:
        own = tf.reduce_mean(compare(targets, model(inputs, training=training)))
        return tf.add_n([own, *(tf.cast(further, own.dtype) for further in model.losses)])

    def gradient() -> Any:
        with tf.GradientTape() as tape:
            value = total()
        return tape.gradient(value, [v.value for v in variables], unconnected_gradients="zero")

    evaluate = tf.function(total, autograph=False)

    def value_now() -> float:
        renew()
        return float(evaluate())

    rng = np.random.default_rng(checked_seed(seed))
    differences: dict[str, float] = {}
    with _kept(model) as renew:
        if keras.tree.is_nested(model(inputs, training=training)):
            if not inspect.isfunction(loss):
                raise UsageError(
                    f"{model.name} has several outputs: give the loss as a function of targets and outputs"
                )
        elif isinstance(targets, list | tuple):
            targets = np.asarray(targets)
        noise = ROUNDINGS * float(np.spacing(abs(value_now()))) / change
        renew()
        gradients = [
            np.asarray(tf.convert_to_tensor(value)) for value in tf.function(gradient, autograph=False)()
        ]
        for name, variable, found in zip(_names(variables), variables, gradients, strict=True):
            chosen = np.arange(found.size)
            if entries is not None and entries < found.size:
                chosen = rng.choice(found.size, entries, replace=False)
            approximate = _differences(variable, chosen, change, value_now)
            differences[name] = _distance(approximate, found.ravel()[chosen], noise * math.sqrt(len(chosen)))
    return GradientCheck(differences)


def _check_variables(model: Any, variables: list[Any]) -> None:
    if not variables:
        raise UsageError(f"{model.name} has no trainable variables: build it, or call it once")
    for variable in variables:
        if np.dtype(variable.dtype) != np.float64:
            raise UsageError(
                f"{variable.path} is {variable.dtype}: differences need float64; build the model with "
                'dtype="float64", or after keras.config.set_floatx("float64")'
            )


def _names(variables: list[Any]) -> list[str]:
    """Their paths, made different where several have the same: towers that one function made."""
    seen: Counter[str] = Counter()
    names = []
    for variable in variables:
        seen[variable.path] += 1
        number = seen[variable.path]
        names.append(variable.path if number == 1 else f"{variable.path} ({number})")
    return names


@contextmanager
def _kept(model: Any) -> Iterator[Callable[[], None]]:
    """Gives what puts every variable that is not trained back to its value; does it at the end, too."""
    before = [(variable, variable.numpy()) for variable in model.non_trainable_variables]

    def renew() -> None:
        for variable, value in before:
            variable.assign(value)

    try:
        yield renew
    finally:
        renew()


def _differences(
    variable: Any, chosen: NDArray[np.intp], change: float, evaluate: Callable[[], float]
) -> NDArray[np.float64]:
    """(J(θ + ε) - J(θ - ε)) / 2ε for the chosen entries of a variable."""
    value = np.array(variable.numpy())  # of a scalar, too
    found = np.empty(len(chosen))
    try:
        for number, place in enumerate(chosen):
            losses = []
            for sign in (1, -1):
                moved = value.copy()
                moved.flat[place] += sign * change
                variable.assign(moved)
                losses.append(evaluate())
            found[number] = (losses[0] - losses[1]) / (2 * change)
    finally:
        variable.assign(value)
    return found


def _distance(approximate: NDArray[np.float64], exact: NDArray[np.float64], noise: float) -> float:
    """‖dθ_approx - dθ‖ / (‖dθ_approx‖ + ‖dθ‖); 0 where both norms are no more than noise."""
    norms = [float(np.linalg.norm(each)) for each in (approximate, exact)]
    if max(norms) <= noise:
        return 0.0
    return float(np.linalg.norm(approximate - exact)) / sum(norms)
