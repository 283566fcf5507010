"""What does not fit is refused in words: who refuses, what was expected, what was found."""

import re
import warnings

import numpy as np
import pytest

from numpy_nn import (
    GELU,
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    Dropout,
    Flatten,
    Gather,
    LayerNorm,
    LeakyReLU,
    Linear,
    MeanSquaredError,
    Mixup,
    Module,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Standardise,
    Tanh,
    Training,
    Transpose,
    Unfold,
    WeightAverage,
    build_mlp,
    constant,
    diagnose,
    evaluate,
)
from numpy_nn.flat import FlatParameters

RNG = np.random.default_rng
# name in the message -> a fresh layer that takes (4, 3), or (4, 2, 3) where it needs tokens
LAYERS = {
    "ReLU()": ReLU,
    "LeakyReLU(0.01)": LeakyReLU,
    "Tanh()": Tanh,
    "Sigmoid()": Sigmoid,
    "GELU()": GELU,
    "Dropout(0.5)": lambda: Dropout(0.5, RNG(1)),
    "Linear(3, 2)": lambda: Linear(3, 2, RNG(1)),
    "BatchNorm(3)": lambda: BatchNorm(3),
    "LayerNorm(3)": lambda: LayerNorm(3),
    "Residual(Tanh())": lambda: Residual(Tanh()),
    "Gather(2, 2)": lambda: Gather(np.array([[0, 1], [2, -1]]), 3),
    "Transpose()": Transpose,
    "Flatten()": Flatten,
    "Unfold(2, 2, 1)": lambda: Unfold(2, 2),
}
INPUTS = {"Transpose()": (4, 2, 3), "Flatten()": (4, 2, 3), "Unfold(2, 2, 1)": (4, 4, 3)}
KNOWS_FEATURES = ("Linear(3, 2)", "BatchNorm(3)", "LayerNorm(3)", "Gather(2, 2)")


def says(who, expected, found):
    """A message that names `who`, `expected` and `found`, in this order."""
    return f"^{re.escape(who)}: expected .*{re.escape(expected)}.*found .*{re.escape(found)}"


def batch(name, size=4, dtype=np.float32):
    return np.ones((size, *INPUTS.get(name, (4, 3))[1:]), dtype)


def test_every_layer_of_the_package_is_in_the_table():
    """Models, Standardise and what takes tokens have tests of their own."""
    others = {"Sequential", "Model", "Standardise", "Embedding", "PositionalEmbedding"}
    others |= {"CausalSelfAttention", "Block", "GPT"}
    package = {
        kind.__name__
        for kind in every_kind(Module)
        if kind.__module__.startswith("numpy_nn.") and not kind.__name__.startswith("_")
    }
    assert package - others == {type(make()).__name__ for make in LAYERS.values()}


def every_kind(kind):
    found = set(kind.__subclasses__())
    return found.union(*map(every_kind, found)) if found else found


@pytest.mark.parametrize("name", LAYERS)
def test_an_empty_batch_integers_and_lists_are_refused(name):
    """Also by a layer that has taken another batch before: a new shape or dtype is looked at."""
    empty, used = batch(name, 0), LAYERS[name]()
    used(batch(name))
    for layer in (LAYERS[name](), used):
        with pytest.raises(ValueError, match=says(name, "N >= 1", str(empty.shape))):
            layer(empty)
        with pytest.raises(ValueError, match=says(name, "float", "int64")):
            layer(batch(name, dtype=np.int64))
        with pytest.raises(ValueError, match=says(name, "a NumPy array", "list")):
            layer([[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("name", KNOWS_FEATURES)
def test_another_number_of_features_is_refused(name):
    with pytest.raises(ValueError, match=says(name, "3)", "(4, 5)")):
        LAYERS[name]()(np.ones((4, 5), np.float32))


@pytest.mark.parametrize("name", LAYERS)
def test_a_gradient_of_another_shape_or_dtype_or_without_forward_is_refused(name):
    layer = LAYERS[name]()
    with pytest.raises(ValueError, match=says(name, "forward before backward", "none")):
        layer.backward(np.ones((4, 2), np.float32))
    y = layer(batch(name))
    for other in (y[:1], y[..., :1], y[None]):
        with pytest.raises(ValueError, match=says(name, f"dL/dy {y.shape}", str(other.shape))):
            layer.backward(other.copy())
    with pytest.raises(ValueError, match=says(name, f"dL/dy {y.shape} float32", "float64")):
        layer.backward(y.astype(np.float64))
    layer.backward(y.copy())


@pytest.mark.parametrize("name", ["Linear(3, 2)", "BatchNorm(3)", "LayerNorm(3)"])
def test_layers_with_weights_take_their_dtype(name):
    with pytest.raises(ValueError, match=says(name, "float32", "float64")):
        LAYERS[name]()(np.ones((4, 3)))


def test_a_dtype_that_was_right_is_refused_after_a_change_of_the_weights():
    layer = Linear(3, 2, RNG(1))
    layer(batch("Linear(3, 2)"))
    layer.astype(np.float64)
    with pytest.raises(ValueError, match=says("Linear(3, 2)", "float64", "float32")):
        layer(batch("Linear(3, 2)"))


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("training", [True, False])
def test_a_diagnosis_names_the_first_layer_that_left_the_finite_numbers(norm, training):
    """It looks at the pass that was made: the same masks, the same running averages."""
    generator = RNG(2)
    model = build_mlp([3, 4, 4, 2], 0.5, RNG(1), generator, norm=norm).train(training)
    first = next(layer for layer in model.layers if isinstance(layer, Linear))
    x = np.ones((4, 3), np.float32)
    model(x)
    assert diagnose(model, x) == "the output of every layer is finite"
    first.weight.value *= np.float32(1e38)
    with np.errstate(over="ignore", invalid="ignore"):
        model(x * 100)
    before, state = model.state_dict(), generator.bit_generator.state
    with warnings.catch_warnings(action="error"):
        found = diagnose(model, x)
    assert found.startswith("Linear(3, 4) (layers.1) is the first to return NaN or infinity; ")
    assert generator.bit_generator.state == state
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    x[0, 0] = np.nan
    assert diagnose(model, x) == "the input holds NaN or infinity"


def test_a_diagnosis_looks_into_residuals_and_names_broken_weights():
    model = Sequential(Linear(3, 3, RNG(1)), Residual(Sequential(Tanh(), Linear(3, 3, RNG(2)))))
    model.layers[1].inner.layers[1].bias.value[2] = np.nan
    x = np.ones((2, 3), np.float32)
    model(x)
    name = "layers.1.inner.layers.1"
    assert diagnose(model, x) == (
        f"Linear(3, 3) ({name}) is the first to return NaN or infinity;"
        f" weights that are not finite: {name}.bias"
    )


F32, LABELS = np.float32, np.array([0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Standardise()(np.zeros((0, 3), np.uint8)), ("Standardise()", "N >= 1", "(0, 3)")),
        (lambda: Standardise().fit(np.zeros((0, 3))), ("Standardise()", "N >= 1", "(0, 3)")),
        (lambda: Standardise(features=2)(np.zeros((4, 3))),
         ("Standardise(2 features)", "(N, 2)", "(4, 3)")),
        (lambda: Standardise()(np.zeros((1, 3), complex)), ("Standardise()", "real", "complex128")),
        (lambda: Standardise().fit(np.array([[np.nan]])), ("Standardise()", "finite", "NaN")),
        (lambda: LayerNorm(1), ("LayerNorm", "at least 2 features", "1")),
        (lambda: BatchNorm(0), ("BatchNorm", "at least 1 features", "0")),
        (lambda: BatchNorm(3, momentum=2), ("BatchNorm(3)", "[0, 1]", "2")),
        (lambda: BatchNorm(3)(np.zeros((1, 3), F32)), ("BatchNorm(3)", "at least 2 examples", "1")),
        (lambda: Dropout(0.5, np.random.Generator(np.random.MT19937(1))),
         ("Dropout(0.5)", "PCG64", "MT19937")),
        (lambda: Dropout(0.5, np.random.RandomState(1)), ("Dropout(0.5)", "PCG64", "RandomState")),
        (lambda: Gather(np.array([[0.5]]), 3), ("Gather", "(T, C) of integers", "float64")),
        (lambda: Unfold(1, 2), ("Unfold", "a window within the padded side", "1, 2 and 1")),
        (lambda: Unfold(4, 3, 0), ("Unfold", "each >= 1", "4, 3 and 0")),
        (lambda: Unfold(3, 2)(np.ones((1, 4, 2), F32)),
         ("Unfold(3, 2, 1)", "(N, 9, C)", "(1, 4, 2)")),
        (lambda: Linear(0, 2, RNG(1)), ("Linear", "at least one input", "0 and 2")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((2, 3), int), LABELS),
         ("SoftmaxCrossEntropy()", "floating-point", "int64")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((2, 2), F32), np.ones((2, 2), F32)),
         ("SoftmaxCrossEntropy()", "sum 1", "to 2.0")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((1, 2), F32), np.array([[-1, 2]], F32)),
         ("SoftmaxCrossEntropy()", "no target below 0", "least target of -1.0")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((1, 2), F32), np.full((1, 2), F32(np.nan))),
         ("SoftmaxCrossEntropy()", "sum 1", "nan")),
        (lambda: SoftmaxCrossEntropy().backward(), ("SoftmaxCrossEntropy()", "forward", "none")),
        (lambda: MeanSquaredError().backward(), ("MeanSquaredError()", "forward", "none")),
        (lambda: MeanSquaredError().forward(np.zeros((0, 2)), np.zeros((0, 2))),
         ("MeanSquaredError()", "at least one output", "(0, 2)")),
        (lambda: MeanSquaredError().forward(np.zeros((1, 2), F32), np.zeros((1, 2))),
         ("MeanSquaredError()", "float32", "float64")),
        (lambda: Mixup(1, 2)(np.zeros((2, 3)), LABELS * 1.0, RNG(1)),
         ("Mixup", "integer labels of shape (2,)", "float64")),
        (lambda: evaluate(np.ones((2, 2)) / 2, LABELS + 1), ("evaluate", "[0, 2)", "1 to 2")),
        (lambda: evaluate(np.ones((2, 2)) / 2, LABELS * 1.0), ("evaluate", "integer", "float64")),
        (lambda: Dropout(0.5, np.random.PCG64(1)), ("Dropout(0.5)", "a Generator of", "PCG64")),
        (lambda: Sequential(*[ReLU()] * 2), ("Sequential", "each layer once", "several")),
        (lambda: build_mlp([3], 0, RNG(1), RNG(2)), ("widths", "inputs, hidden", "[3]")),
        (lambda: training(9, 3, one_hot=True), ("Training", "labels of shape (9,)", "(9, 3)")),
        (lambda: SGD([], 0), ("SGD", "lr > 0", "0")),
        (lambda: SGD([], 1, weight_decay=-0.1), ("SGD", "weight_decay >= 0", "1, -0.1")),
        (lambda: SGD([], 1, -0.1), ("SGD", "momentum in [0, 1)", "-0.1")),
        (lambda: Adam([], 1, (0.9, 1)), ("Adam", "betas", "(0.9, 1)")),
        (lambda: Adam([], 1, (1, 0.9)), ("Adam", "betas", "(1, 0.9)")),
        (lambda: AdamW([], 1, (-0.1, 0.9)), ("AdamW", "betas", "(-0.1, 0.9)")),
        (lambda: AdamW([], 1, eps=0), ("AdamW", "eps > 0", "0")),
        (lambda: BatchNorm(3, momentum=-0.1), ("BatchNorm(3)", "[0, 1]", "-0.1")),
        (lambda: BatchNorm(3, eps=0), ("BatchNorm", "eps > 0", "3 and 0")),
        (lambda: Dropout(-0.1, RNG(1)), ("Dropout(-0.1)", "[0, 1)", "-0.1")),
        (lambda: SoftmaxCrossEntropy(1), ("SoftmaxCrossEntropy()", "[0, 1)", "1")),
        (lambda: SoftmaxCrossEntropy(-0.1), ("SoftmaxCrossEntropy()", "[0, 1)", "-0.1")),
        (lambda: Mixup(0.1, 1), ("Mixup", "classes >= 2", "0.1, 1")),
        (lambda: Linear(2, 0, RNG(1)), ("Linear", "at least one input", "2 and 0")),
        (lambda: Unfold(0, 1), ("Unfold", "each >= 1", "0, 1 and 1")),
    ],
)  # fmt: skip
def test_everything_else_says_who_and_what(call, message):
    with pytest.raises(ValueError, match=says(*message)):
        call()


def test_a_deviation_that_overflows_is_refused():
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="finite examples"):
        Standardise().fit(np.array([[1e200], [-1e200]]))


@pytest.mark.parametrize("kind", [SGD, AdamW, Adam, WeightAverage])
def test_a_state_of_other_names_or_shapes_changes_nothing(kind):
    def make(width):
        model = Sequential(Linear(3, width, RNG(1)))
        if kind is WeightAverage:
            return kind(model, FlatParameters(model.parameters()), 0.9)
        return kind(model.parameters(), 0.1)

    owner, other = make(2), make(5).state_dict()
    before = owner.state_dict()
    with pytest.raises(ValueError, match=rf"{kind.__name__}: state: .*shape \(8,\), found \(20,\)"):
        owner.load_state_dict(other)
    with pytest.raises(ValueError, match=rf"{kind.__name__}: state: .*missing: .*unknown: strange"):
        owner.load_state_dict({"strange": np.zeros(8)})
    for key, array in owner.state_dict().items():
        np.testing.assert_array_equal(array, before[key])
    owner.load_state_dict(before)


def training(count, batch_size, norm="batch", one_hot=False):
    x = RNG(0).standard_normal((count, 2)).astype(np.float32)
    model = build_mlp([2, 4, 3], 0, RNG(1), RNG(2), norm=norm)
    parts = model, SoftmaxCrossEntropy(), SGD(model.parameters(), 0.1), constant
    y = np.arange(count) % 3
    y = np.eye(3)[y] if one_hot else y
    return Training(*parts, x, y, batch_size=batch_size, epochs=2, rng=RNG(3))


def test_with_batch_norm_a_last_batch_of_one_is_left_out():
    """As with drop_last in PyTorch; without BatchNorm, and of any other size, it is trained on."""
    assert [training(n, 8).run_epoch()["step"] for n in (16, 17, 18)] == [2, 2, 3]
    assert training(17, 8).steps == 4
    assert training(17, 8, norm="layer").run_epoch()["step"] == 3
    for count, size in ((1, 8), (9, 1)):
        with pytest.raises(ValueError, match=rf"Training: .*at least 2 .*found {count}, "):
            training(count, size)
