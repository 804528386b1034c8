"""One-to-many and encoder-decoder: what is trained is what writes; padding, precision, saving."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, LSTMState
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.layers.shapes import Decoder, encoder_decoder, one_to_many
from seqkit.training import gradient_check

END = 5
SOURCE = np.array([[1, 2, 3, 0], [4, 1, 2, 3], [2, 2, 0, 0]])
TARGET = np.array([[2, 3, END, 0, 0], [4, 4, 2, 3, END], [END, 0, 0, 0, 0]])
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make(dtype: str = "float64", **options: Any) -> Any:
    """A built model whose weights are random."""
    model = encoder_decoder(
        options.pop("encoder", Bidirectional(GRUCell(3, dtype=dtype, seed=1))),
        options.pop("decoder", LSTMCell(4, dtype=dtype, seed=2)),
        **{"source_size": 5, "target_size": 6, "vector_size": 3, "end": END, "seed": 3, **options},
    )
    model((SOURCE, TARGET))
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return model


def log_p(model: Any, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Of sequences, from what the model is trained by; padding is impossible."""
    logits = model((rows, tokens)).numpy()
    logits[:, :, 0] = -np.inf
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    own = np.take_along_axis(logs, tokens[:, :, None], axis=2)[:, :, 0]
    return np.where(tokens != 0, own, 0).sum(axis=1)


@pytest.mark.parametrize(
    "decoder",
    [
        lambda: LSTMCell(4, dtype="float64"),
        lambda: DeepRNN([GRUCell(3, dtype="float64"), LSTMCell(2, dtype="float64")], return_sequences=True),
    ],
)
def test_a_step_is_that_of_training(decoder: Any) -> None:
    model = make(decoder=decoder())
    wanted = model((SOURCE, TARGET)).numpy()
    state = model.decoder.first_state(model.context(SOURCE))
    last = tf.zeros([3], tf.int32)
    for t in range(5):
        logits, state = model.decoder.step(last, state)
        there = TARGET[:, t] != 0
        np.testing.assert_allclose(logits.numpy()[there], wanted[there, t], rtol=1e-12)
        last = tf.constant(TARGET[:, t], tf.int32)


def test_the_first_token_follows_from_the_context_alone() -> None:
    """a⟨0⟩ = tanh(V c), and y⟨0⟩ is the zero vector."""
    model = make()
    context = model.context(SOURCE)
    assert context.shape == (3, 6)
    decoder = model.decoder
    kernels = [bridge.get_weights() for bridge in decoder.bridges]
    hidden, cell = (np.tanh(context.numpy() @ kernel + bias) for kernel, bias in kernels)
    state = decoder.layer.cell.step(
        decoder.layer.cell.project_inputs(np.zeros((3, 3))),
        LSTMState(tf.constant(hidden), tf.constant(cell)),
        decoder.layer.cell.constants(3),
    )
    kernel, bias = decoder.output_layer.get_weights()
    np.testing.assert_allclose(
        model((SOURCE, TARGET))[:, 0], state.hidden.numpy() @ kernel + bias, rtol=1e-10
    )


def test_searches_write_what_the_model_finds_likely() -> None:
    model = make()
    tokens, scores = (value.numpy() for value in model.beam(SOURCE, max_length=5, width=3, alpha=0.7))
    for rank in range(3):
        lengths = (tokens[:, rank] != 0).sum(axis=1)
        wanted = log_p(model, SOURCE, tokens[:, rank]) / lengths**0.7
        np.testing.assert_allclose(scores[:, rank], wanted, rtol=1e-4)
    greedy = model.greedy(SOURCE, max_length=5).numpy()
    logits = model((SOURCE, greedy)).numpy()
    likeliest = logits[:, :, 1:].argmax(axis=-1) + 1
    np.testing.assert_array_equal(greedy, np.where(greedy != 0, likeliest, 0))
    ended = (greedy == END).cumsum(axis=1) - (greedy == END) > 0
    np.testing.assert_array_equal(greedy == 0, ended)


def test_samples_follow_from_the_seed_and_the_temperature() -> None:
    model = make()
    one, again = (model.sample(SOURCE, max_length=5, seed=4).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert any((model.sample(SOURCE, max_length=5, seed=seed).numpy() != one).any() for seed in (5, 6))
    fresh = [model.sample(SOURCE, max_length=5, seed=None).numpy() for _ in range(4)]
    assert any((other != fresh[0]).any() for other in fresh[1:])
    # At a temperature of nearly 0 the likeliest token is drawn.
    cold = model.sample(SOURCE, max_length=5, temperature=1e-4, seed=4)
    np.testing.assert_array_equal(cold, model.greedy(SOURCE, max_length=5))


def test_padding_changes_nothing() -> None:
    model = make()
    longer = np.pad(SOURCE, [(0, 0), (0, 3)])
    np.testing.assert_allclose(model.context(longer), model.context(SOURCE), rtol=1e-12)
    model.compile(loss=LOGITS)
    wide = np.pad(TARGET, [(0, 0), (0, 2)])
    found = [model.evaluate((SOURCE, tokens), tokens, verbose=0) for tokens in (TARGET, wide)]
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    logits = model((SOURCE, TARGET)).numpy()
    losses = np.log(np.exp(logits).sum(axis=-1)) - np.take_along_axis(logits, TARGET[:, :, None], 2)[..., 0]
    assert found[0] == pytest.approx(losses[TARGET != 0].mean(), rel=1e-5)


def test_gradients_are_the_derivatives() -> None:
    model = make()

    def loss(targets: Any, logits: Any) -> Any:
        own = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return own * tf.cast(targets != 0, own.dtype)

    found = gradient_check(model, (SOURCE, TARGET), tf.constant(TARGET), loss, entries=4)
    assert len(found.differences) == len(model.trainable_variables) == 6 + 1 + 1 + 3 + 4 + 2
    assert found.largest <= 1e-7, found.worst


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled(mode: str) -> None:
    model = make("float32")
    wanted = model((SOURCE, TARGET)).numpy()
    compiled = tf.function(
        lambda: model((tf.constant(SOURCE), tf.constant(TARGET))), jit_compile=mode == "xla", autograph=False
    )
    np.testing.assert_allclose(compiled(), wanted, rtol=1e-4, atol=1e-5)


def test_mixed_precision() -> None:
    """Logits are in the precision of the weights."""
    model = make("mixed_bfloat16")
    assert model.compute_dtype == "bfloat16"
    assert model((SOURCE, TARGET)).dtype == tf.float32
    assert model.context(SOURCE).dtype == tf.bfloat16
    assert model.beam(SOURCE, max_length=3)[1].dtype == tf.float32


@pytest.mark.slow
def test_one_to_many_learns_to_count_down() -> None:
    """From n, as a vector with one 1: the tokens n, n - 1, …, 1, then the end, 6."""
    model = one_to_many(GRUCell(24, seed=1), vocabulary_size=7, vector_size=8, end=6, seed=2)
    x = np.eye(5, dtype="float32")
    y = np.array([[*range(n, 0, -1), 6, *[0] * (5 - n)] for n in range(1, 6)])
    model.compile(keras.optimizers.Adam(0.03), LOGITS)
    many_x, many_y = np.tile(x, (16, 1)), np.tile(y, (16, 1))
    model.fit((many_x, many_y), many_y, batch_size=40, epochs=25, verbose=0)
    np.testing.assert_array_equal(model.greedy(x, max_length=6), y)
    np.testing.assert_array_equal(model.beam(x, max_length=6, width=3)[0][:, 0], y)


def test_searches_build_a_model_that_was_never_called() -> None:
    model = one_to_many(GRUCell(3), vocabulary_size=4, vector_size=2, end=1)
    assert model.greedy(np.ones((2, 3), "float32"), max_length=4).shape == (2, 4)
    assert model.count_params() == 4 * 2 + (3 + 2 + 1) * 3 * 2 + (3 + 1) * 3 + (3 + 1) * 4


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("shape", ["one_to_many", "encoder_decoder"])
def test_saved_and_loaded(shape: str, tmp_path: Any) -> None:
    if shape == "encoder_decoder":
        model, given = make("float32"), SOURCE
    else:
        model = one_to_many(LSTMCell(4), vocabulary_size=6, vector_size=3, end=END, seed=1)
        given = np.ones((3, 2), "float32")
        model((given, TARGET))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    np.testing.assert_array_equal(again((given, TARGET)), model((given, TARGET)))
    np.testing.assert_array_equal(again.greedy(given, max_length=4), model.greedy(given, max_length=4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(end=6), "end must be a token from 1 to 5, not 6"),
        (lambda: make(end=0), "end must be a token from 1 to 5, not 0"),
        (lambda: make(decoder=Recurrent(GRUCell(2))), "with return_sequences=True"),
        (
            lambda: make(decoder=Recurrent(GRUCell(2), return_sequences=True, go_backwards=True)),
            "recurrent.* must run forward: a token may not follow from those after it",
        ),
        (
            lambda: make(decoder=DeepRNN([Bidirectional(GRUCell(2)), GRUCell(2)], return_sequences=True)),
            "deep_rnn.* must run forward",
        ),
        (lambda: make(encoder=Recurrent(GRUCell(2), stateful=True)), "must begin every sequence anew here"),
        (
            lambda: make(decoder=DeepRNN([GRUCell(2)], return_sequences=True, stateful=True)),
            "deep_rnn.* must begin every sequence anew here: stateful=False",
        ),
        (
            lambda: make(encoder=Bidirectional(GRUCell(2), stateful=True)),
            "bidirectional.* must begin every sequence anew here",
        ),
        (lambda: make().sample(SOURCE, max_length=3, seed=2**40), "seed must be from 0 to 2147483647"),
        (lambda: Decoder(GRUCell(2), 5, 3, seed=-1), "seed must be from 0 to 2147483647, not -1"),
        (lambda: make().greedy(SOURCE, max_length=0), "max_length must be a whole number above 0"),
        (lambda: make().beam(SOURCE, max_length=3, width=0), "width must be a whole number above 0"),
        (lambda: make().beam(SOURCE, max_length=3, alpha=1.5), "alpha must be from 0 to 1, not 1.5"),
        (lambda: make().beam(SOURCE, max_length=3, alpha=-0.1), "alpha must be from 0 to 1, not -0.1"),
        (
            lambda: make().sample(SOURCE, max_length=3, temperature=1e-39),
            "temperature must be at least 1e-06, not 1e-39: greedy draws nothing",
        ),
        (
            lambda: make().sample(SOURCE, max_length=3, temperature=0.0),
            "temperature must be a finite number above 0, not 0.0",
        ),
        (lambda: Decoder(GRUCell(2), 0, 3), "vocabulary_size must be a whole number above 0"),
    ],
)
def test_bad_arguments(call: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize("batch", [0, 1])
def test_the_first_beams_may_be_those_of_one_sequence_or_none(batch: int) -> None:
    tokens, scores = make(decoder=LSTMCell(3)).beam(SOURCE[:batch], max_length=3, width=2)
    assert (tokens.shape, scores.shape) == ((batch, 2, 3), (batch, 2))


@pytest.mark.parametrize("shape", ["one_to_many", "encoder_decoder"])
def test_initial_weights_follow_from_the_seed(shape: str) -> None:
    """All but biases, and each by itself."""

    def drawn(seed: int) -> dict[str, np.ndarray]:
        if shape == "one_to_many":
            model = one_to_many(LSTMCell(4, seed=1), vocabulary_size=6, vector_size=3, end=END, seed=seed)
            model((np.ones((3, 4), "float32"), TARGET))
        else:
            model = encoder_decoder(
                GRUCell(4, seed=1),
                LSTMCell(4, seed=2),
                source_size=6,
                target_size=6,
                vector_size=3,
                end=END,
                seed=seed,
            )
            model((SOURCE, TARGET))
        own = [
            v for v in model.weights if not any(name in v.path for name in ("recurrent", "encoder/", "bias"))
        ]
        return {variable.path: variable.numpy() for variable in own}

    one, again, other = (list(drawn(seed).values()) for seed in (4, 4, 5))
    assert len(one) == 4 + (shape == "encoder_decoder")  # vectors, two bridges, W_y
    for value, same, another in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(value, same)
        assert (value != another).all()
    for place, value in enumerate(one):
        assert not any(value.shape == more.shape and (value == more).any() for more in one[:place])


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_training_is_that_of_encoder_and_decoder(part: str) -> None:
    cells = [GRUCell(3, seed=1, recurrent_dropout=0.5 * (name == part)) for name in ("encoder", "decoder")]
    model = encoder_decoder(*cells, source_size=5, target_size=6, vector_size=3, end=END, seed=2)
    plain, drawn = (model((SOURCE, TARGET), training=training).numpy() for training in (False, True))
    assert np.abs(drawn - plain).max() > 1e-3  # of roundings 1e-7


def test_the_configuration_of_a_writer() -> None:
    model = one_to_many(GRUCell(3), vocabulary_size=4, vector_size=2, end=1, seed=7)
    model.trainable = False
    again = type(model).from_config(model.get_config())
    assert (again.decoder.seed, again.trainable) == (7, False)


def test_an_encoder_decoder_that_was_never_called() -> None:
    model = encoder_decoder(GRUCell(3), LSTMCell(4), source_size=5, target_size=6, vector_size=3, end=5)
    assert model.greedy(SOURCE, max_length=4).shape == (3, 4)
    assert model.beam(SOURCE, max_length=4, width=2)[0].shape == (3, 2, 4)


def test_numbers_of_numpy_and_whole_temperatures() -> None:
    model = one_to_many(
        GRUCell(3), vocabulary_size=np.int64(4), vector_size=np.int64(2), end=np.int64(1), seed=np.int64(7)
    )
    assert json.loads(json.dumps(model.get_config()))["end"] == 1
    x, three = np.ones((2, 3), "float32"), np.int64(3)
    np.testing.assert_array_equal(model.greedy(x, max_length=three), model.greedy(x, max_length=3))
    for temperature in (1, np.float64(1)):
        np.testing.assert_array_equal(
            model.sample(x, max_length=3, temperature=temperature), model.sample(x, max_length=3)
        )
    found = model.beam(x, max_length=three, width=np.int64(2), alpha=np.float64(0.5))
    for part, other in zip(found, model.beam(x, max_length=3, width=2, alpha=0.5), strict=True):
        np.testing.assert_array_equal(part, other)
