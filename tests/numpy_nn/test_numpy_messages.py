"""What does not fit is refused in words: who refuses, what was expected, what was given."""

import re
import warnings

import numpy as np
import pytest

from numpy_nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from numpy_nn.architecture import Model
from numpy_nn.averaging import WeightAverage
from numpy_nn.dropout import Dropout
from numpy_nn.flat import FlatParameters
from numpy_nn.gather import Gather
from numpy_nn.linear import Linear
from numpy_nn.losses import MeanSquaredError, SoftmaxCrossEntropy
from numpy_nn.mixup import Mixup
from numpy_nn.mlp import build_mlp
from numpy_nn.module import Module, NonFiniteError, Parameter, Sequential
from numpy_nn.normalisation import BatchNorm, LayerNorm
from numpy_nn.optimisers import SGD, Adam, AdamW
from numpy_nn.prediction import evaluate
from numpy_nn.relu_dropout import ReLUDropout
from numpy_nn.residual import Residual
from numpy_nn.schedules import constant
from numpy_nn.standardise import Standardise
from numpy_nn.tokens import Flatten, Transpose
from numpy_nn.training import Training
from numpy_nn.unfold import Unfold

RNG = np.random.default_rng
# name in the message -> a fresh layer that takes (4, 3), or (4, 2, 3) where it needs tokens
LAYERS = {
    "ReLU()": ReLU,
    "LeakyReLU(0.01)": LeakyReLU,
    "Tanh()": Tanh,
    "Sigmoid()": Sigmoid,
    "GELU()": GELU,
    "Dropout(0.5)": lambda: Dropout(0.5, RNG(1)),
    "ReLUDropout(0.5)": lambda: ReLUDropout(0.5, RNG(1)),
    "Linear(3, 2)": lambda: Linear(3, 2, RNG(1)),
    "BatchNorm(3)": lambda: BatchNorm(3),
    "LayerNorm(3)": lambda: LayerNorm(3),
    "Residual(Tanh())": lambda: Residual(Tanh()),
    "Gather(2, 2)": lambda: Gather(np.array([[0, 1], [2, -1]]), 3),
    "Transpose()": Transpose,
    "Flatten()": Flatten,
    "Unfold(2, 2, stride=1)": lambda: Unfold(2, 2),
}
INPUTS = {
    "Transpose()": (4, 2, 3),
    "Flatten()": (4, 2, 3),
    "Unfold(2, 2, stride=1)": (4, 4, 3),
}
KNOWS_FEATURES = ("Linear(3, 2)", "BatchNorm(3)", "LayerNorm(3)", "Gather(2, 2)")


def says(who, expected, given):
    """A message that names `who`, `expected` and `given`, in this order."""
    return f"^{re.escape(who)}: expected .*{re.escape(expected)}.*given .*{re.escape(given)}"


def batch(name, size=4, dtype=np.float32):
    return np.ones((size, *INPUTS.get(name, (4, 3))[1:]), dtype)


def test_every_layer_of_the_package_is_in_the_table():
    """Models, losses and Standardise take and give other things: they have tests of their own."""
    others = {"Sequential", "Model", "Standardise"}
    others |= {"Loss", "SoftmaxCrossEntropy", "MeanSquaredError"}
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
def test_an_empty_batch_and_integers_are_refused(name):
    empty = batch(name, 0)
    with pytest.raises(ValueError, match=says(name, "N >= 1", str(empty.shape))):
        LAYERS[name]()(empty)
    with pytest.raises(ValueError, match=says(name, "floating-point numbers", "int64")):
        LAYERS[name]()(batch(name, dtype=np.int64))


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
    with pytest.raises(ValueError, match=says(name, "dL/dy float32", "float64")):
        layer.backward(y.astype(np.float64))
    layer.backward(y.copy())


@pytest.mark.parametrize("name", ["Linear(3, 2)", "BatchNorm(3)", "LayerNorm(3)"])
def test_layers_with_weights_take_their_dtype(name):
    with pytest.raises(ValueError, match=says(name, "float32", "float64")):
        LAYERS[name]()(np.ones((4, 3)))


@pytest.mark.parametrize("name", [*LAYERS, "Standardise()"])
@pytest.mark.parametrize("training", [True, False])
def test_every_layer_takes_finite_numbers_alone_and_arrays_alone(name, training):
    layer = (LAYERS | {"Standardise()": Standardise})[name]().train(training)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=says(name, "a NumPy array", "list")):
        layer([[1.0, 2.0, 3.0]])
    for bad in (np.nan, np.inf, -np.inf):
        x = batch(name)
        x[1, ..., 2] = bad
        with pytest.raises(NonFiniteError, match=says(name, "finite input", "NaN")):
            layer(x)
    for key, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[key], key)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("training", [True, False])
def test_a_model_looks_once_and_then_names_the_first_layer(norm, training):
    """Its layers do not look one by one, which a step would pay for; what passes is found."""
    model = build_mlp([3, 4, 4, 2], 0.5, RNG(1), RNG(2), norm=norm).train(training)
    first = next(layer for layer in model.layers if isinstance(layer, Linear))
    heir = model.layers[model.layers.index(first) + 1]
    x = np.ones((4, 3), np.float32)
    before = model(x).copy()
    first.weight.value *= np.float32(1e38)
    with warnings.catch_warnings(action="error"):
        place = rf".*\(layers.2, behind {re.escape(repr(first))}\)$"
        with pytest.raises(NonFiniteError, match=says(repr(heir), "finite", "NaN") + place):
            model(x * 100)
        x[0, 0] = np.nan
        with pytest.raises(NonFiniteError, match=says("Standardise()", "finite input", "NaN")):
            model(x)
        with pytest.raises(NonFiniteError, match=says(repr(first), "finite input", "NaN")):
            first(x)  # by itself a layer looks all the same
    assert not any(module.watchful for module in model.layers[1:]), "still slow"
    first.weight.value /= np.float32(1e38)
    if not training:
        np.testing.assert_allclose(model(np.ones((4, 3), np.float32)), before, rtol=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_a_model_looks_again_at_the_same_pass(seed):
    """With other masks an overflow might be gone, and the step would go on as if nothing was."""
    generator, twin = RNG(seed), RNG(seed)
    layers = (
        BatchNorm(3),
        Linear(3, 2, RNG(0)),
        ReLU(),
        Dropout(0.5, generator),
        Linear(2, 1, RNG(1)),
    )
    model = Model({}, *layers)
    norm, first, _, dropout, last = model.layers
    first.weight.value[:], first.bias.value[:], last.weight.value[:] = 0, 1, 3e38
    x = np.array([[1, 2, 3], [1, 2, 5]], np.float32)
    y = model(x)  # 2 x 3e38 where a unit is kept: infinite
    once = Dropout(0.5, twin)(np.ones((2, 2), np.float32))
    assert np.isfinite(y).all() == (once.sum() == 0)
    assert dropout.frozen is False
    assert generator.bit_generator.state == twin.bit_generator.state
    fresh = BatchNorm(3)
    fresh(x)
    np.testing.assert_array_equal(norm.running_mean, fresh.running_mean)


@pytest.mark.parametrize("hides", [Tanh, Sigmoid])
def test_what_would_make_infinity_finite_stays_watchful(hides):
    model = Model({}, Linear(2, 2, RNG(0)), hides(), Linear(2, 2, RNG(1)))
    model.layers[0].weight.value[:] = 3e38
    with pytest.raises(NonFiniteError, match=says(f"{hides.__name__}()", "finite input", "NaN")):
        model(np.full((1, 2), 9, np.float32))


def test_a_model_leaves_logits_that_are_not_finite_to_who_uses_them():
    """No layer was given a NaN: the loss and predict say that the logits are not finite."""
    model = build_mlp([3, 4, 2], 0, RNG(1), RNG(2))
    model.layers[-1].bias.value[0] = np.nan
    logits = model(np.ones((2, 3), np.float32))
    with pytest.raises(NonFiniteError, match="finite logits"):
        SoftmaxCrossEntropy().forward(logits, LABELS)


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
        (lambda: LayerNorm(1), ("LayerNorm()", "at least 2 features", "1")),
        (lambda: BatchNorm(0), ("BatchNorm()", "at least 1 features", "0")),
        (lambda: BatchNorm(3, momentum=2), ("BatchNorm(3)", "[0, 1]", "2")),
        (lambda: BatchNorm(3)(np.zeros((1, 3), F32)),
         ("BatchNorm(3)", "at least 2 examples", "(1, 3)")),
        (lambda: BatchNorm(2)(np.array([[1e30, 0], [0, 0]], F32)),
         ("BatchNorm(2)", "finite variance", "overflow")),
        (lambda: Dropout(0.5, np.random.Generator(np.random.MT19937(1))),
         ("Dropout(0.5)", "PCG64", "MT19937")),
        (lambda: Dropout(0.5, np.random.RandomState(1)), ("Dropout(0.5)", "PCG64", "RandomState")),
        (lambda: Gather(np.array([[0.5]]), 3), ("Gather()", "(T, C) of integers", "float64")),
        (lambda: Unfold(1, 2), ("Unfold()", "a window within the padded side", "1, 2 and 1")),
        (lambda: Unfold(4, 3, 0), ("Unfold()", "each >= 1", "4, 3 and 0")),
        (lambda: Unfold(3, 2)(np.ones((1, 4, 2), F32)),
         ("Unfold(3, 2, stride=1)", "(N, 9, C)", "(1, 4, 2)")),
        (lambda: Linear(0, 2, RNG(1)), ("Linear()", "at least one input", "0 and 2")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((0, 2), F32), LABELS),
         ("SoftmaxCrossEntropy()", "N, K >= 1", "(0, 2)")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((2, 3), int), LABELS),
         ("SoftmaxCrossEntropy()", "floating-point", "int64")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((2, 3), F32), LABELS.astype(F32)),
         ("SoftmaxCrossEntropy()", "integer labels of shape (2,)", "float32")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((2, 2), F32), np.ones((2, 2), F32)),
         ("SoftmaxCrossEntropy()", "sum 1", "to 2.0")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((1, 2), F32), np.array([[-1, 2]], F32)),
         ("SoftmaxCrossEntropy()", "none below 0", "least target of -1.0")),
        (lambda: SoftmaxCrossEntropy().forward(np.zeros((1, 2), F32), np.full((1, 2), F32(np.nan))),
         ("SoftmaxCrossEntropy()", "sum 1", "nan")),
        (lambda: SoftmaxCrossEntropy().backward(), ("SoftmaxCrossEntropy()", "forward", "none")),
        (lambda: MeanSquaredError().backward(), ("MeanSquaredError()", "forward", "none")),
        (lambda: MeanSquaredError().forward(np.zeros((0, 2)), np.zeros((0, 2))),
         ("MeanSquaredError()", "at least one output", "(0, 2)")),
        (lambda: MeanSquaredError().forward(np.zeros((1, 2), F32), np.zeros((1, 2))),
         ("MeanSquaredError()", "float32", "float64")),
        (lambda: Mixup(1, 2)(np.zeros((2, 3)), LABELS * 1.0, RNG(1)),
         ("Mixup", "integer labels (2,)", "float64")),
        (lambda: evaluate(np.ones((2, 2)) / 2, LABELS + 1), ("evaluate", "[0, 2)", "1 to 2")),
        (lambda: evaluate(np.ones((2, 2)) / 2, LABELS * 1.0), ("evaluate", "integer", "float64")),
        (lambda: Dropout(0.5, np.random.PCG64(1)), ("Dropout(0.5)", "a Generator of", "PCG64")),
        (lambda: Sequential(*[ReLU()] * 2), ("Sequential", "each layer once", "several")),
        (lambda: build_mlp([3], 0, RNG(1), RNG(2)), ("widths", "inputs, hidden", "[3]")),
        (lambda: training(9, 3, one_hot=True), ("Training", "integer labels (N,)", "(9, 3)")),
        (lambda: SGD([], 0), ("SGD", "lr > 0", "0")),
        (lambda: Adam([], 1, (1, 1)), ("Adam", "betas", "(1, 1)")),
    ],
)  # fmt: skip
def test_everything_else_says_who_and_what(call, message):
    with pytest.raises(ValueError, match=says(*message)):
        call()


@pytest.mark.parametrize("kind", [SGD, AdamW, Adam, WeightAverage])
def test_a_state_of_other_names_or_shapes_changes_nothing(kind):
    def make(width):
        model = Sequential(Linear(3, width, RNG(1)))
        if kind is WeightAverage:
            return kind(model, FlatParameters(model.parameters()), 0.9)
        return kind(model.parameters(), 0.1)

    owner, other = make(2), make(5).state_dict()
    before = owner.state_dict()
    with pytest.raises(ValueError, match=rf"{kind.__name__}: state: .*shape \(8,\), given \(20,\)"):
        owner.load_state_dict(other)
    with pytest.raises(ValueError, match=rf"{kind.__name__}: state: .*missing: .*unknown: strange"):
        owner.load_state_dict({"strange": np.zeros(8)})
    for key, array in owner.state_dict().items():
        np.testing.assert_array_equal(array, before[key])
    owner.load_state_dict(before)


def test_a_frozen_mask_is_for_inputs_of_its_shape():
    layer = Dropout(0.5, RNG(1))
    layer.frozen = True
    with pytest.raises(ValueError, match=says("Dropout(0.5)", "frozen mask, none yet", "(4, 3)")):
        layer(np.ones((4, 3)))
    layer.frozen = False
    first = layer(np.ones((4, 3))).copy()
    layer.frozen = True
    np.testing.assert_array_equal(layer(np.ones((4, 3))), first)
    with pytest.raises(ValueError, match=says("Dropout(0.5)", "(4, 3)", "(2, 3)")):
        layer(np.ones((2, 3)))


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
        with pytest.raises(ValueError, match=rf"Training: .*at least 2 .*given {count}, "):
            training(count, size)


def test_a_parameter_of_another_dtype_is_refused():
    with pytest.raises(ValueError, match="parameters: expected one dtype, given"):
        SGD([Parameter(np.zeros(2)), Parameter(np.zeros(2, F32))], 0.1)
