"""The layers of Part 1 against PyTorch, against finite differences, and against bad input."""

import math

import numpy as np
import pytest
import torch

from numpy_nn import (
    GELU,
    BatchNorm,
    Dropout,
    LayerNorm,
    LeakyReLU,
    Linear,
    Module,
    Parameter,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Standardise,
    Tanh,
    gradcheck,
    he_normal,
    xavier_uniform,
)
from numpy_nn.gradcheck import numeric_gradient, relative_error

RNG = np.random.default_rng


class TorchResidual(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


# name -> (ours, PyTorch's), for D features
LAYERS = {
    "linear": (lambda d: Linear(d, 5, RNG(1)), lambda d: torch.nn.Linear(d, 5)),
    "relu": (lambda d: ReLU(), lambda d: torch.nn.ReLU()),
    "leaky_relu": (lambda d: LeakyReLU(0.1), lambda d: torch.nn.LeakyReLU(0.1)),
    "tanh": (lambda d: Tanh(), lambda d: torch.nn.Tanh()),
    "sigmoid": (lambda d: Sigmoid(), lambda d: torch.nn.Sigmoid()),
    "gelu": (lambda d: GELU(), lambda d: torch.nn.GELU(approximate="tanh")),
    "batch_norm": (BatchNorm, torch.nn.BatchNorm1d),
    "layer_norm": (LayerNorm, torch.nn.LayerNorm),
    "residual": (
        lambda d: Residual(Sequential(Linear(d, d, RNG(1)), Tanh())),
        lambda d: TorchResidual(torch.nn.Sequential(torch.nn.Linear(d, d), torch.nn.Tanh())),
    ),
    "net": (
        lambda d: Sequential(Linear(d, 7, RNG(1)), ReLU(), BatchNorm(7), Linear(7, 3, RNG(2))),
        lambda d: torch.nn.Sequential(
            torch.nn.Linear(d, 7), torch.nn.ReLU(), torch.nn.BatchNorm1d(7), torch.nn.Linear(7, 3)
        ),
    ),
}


def away_from_kinks(rng, n, d):
    x = rng.standard_normal((n, d)).astype(np.float32)
    return x + np.sign(x) * np.float32(0.05)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_at_the_kink_the_derivative_is_torch_s(name):
    ours, theirs = (make(1) for make in LAYERS[name])
    tensor = torch.zeros(1, 1, requires_grad=True)
    theirs(tensor).backward(torch.ones(1, 1))
    assert ours(np.zeros((1, 1), np.float32)) == 0
    assert ours.backward(np.ones((1, 1), np.float32)) == tensor.grad.numpy()


def copy_parameters(ours, theirs):
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        if mine.decay is False:
            mine.value += RNG(5).standard_normal(mine.value.shape).astype(np.float32) / 4
        other.data = torch.from_numpy(mine.value.T.copy())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("shape", [(2, 2), (17, 4)])
def test_forward_and_backward_agree_with_torch(name, shape):
    ours, theirs = (make(shape[1]) for make in LAYERS[name])
    copy_parameters(ours, theirs)
    x = RNG(shape[0]).standard_normal(shape).astype(np.float32)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    expected = theirs(tensor)
    y = ours(x)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-5, atol=1e-5)
    grad = RNG(3).standard_normal(y.shape).astype(np.float32)
    expected.backward(torch.from_numpy(grad))
    # Two examples give BatchNorm outputs of +-1 and gradients near 0 / 0: float32 has less there.
    hard = shape[0] == 2 and name in ("batch_norm", "net")
    close = {"rtol": 1e-5, "atol": 1e-3 if hard else 1e-5}
    np.testing.assert_allclose(ours.backward(grad), tensor.grad.numpy(), **close)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad, other.grad.numpy().T, **close)


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_check_on_a_random_shape(name):
    rng = RNG(0)
    shape = rng.integers(3, 9, 2)
    errors = gradcheck(LAYERS[name][0](shape[1]), away_from_kinks(rng, *shape))
    assert "x" in errors
    assert max(errors.values()) < 1e-6, (shape, errors)


@pytest.mark.parametrize("name", LAYERS)
def test_a_pass_changes_nothing_that_it_was_found_and_what_it_returned_lasts(name):
    layer = LAYERS[name][0](6)
    first, second = RNG(1).standard_normal((2, 5, 6)).astype(np.float32)
    y = layer(first)
    grad = RNG(2).standard_normal(y.shape).astype(np.float32)
    grad_input = layer.backward(grad)
    kept = [array.copy() for array in (first, y, grad, grad_input)]
    layer.backward(layer(second))
    for array, copy in zip((first, y, grad, grad_input), kept, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_gradient_check_draws_the_same_masks_in_every_pass():
    generator = RNG(2)
    before = generator.bit_generator.state
    net = Sequential(Linear(6, 8, RNG(1)), Dropout(0.5, generator), Tanh(), Linear(8, 2, RNG(3)))
    errors = gradcheck(net, RNG(4).standard_normal((4, 6)))
    assert max(errors.values()) < 1e-6
    mask = net.layers[1].mask
    assert 0 < np.count_nonzero(mask) < mask.size
    assert generator.bit_generator.state == before


def test_gradient_check_leaves_running_averages_as_they_were():
    net = Sequential(Linear(4, 3, RNG(1)), BatchNorm(3))
    net(RNG(2).standard_normal((8, 4)).astype(np.float32))
    before = {name: array.copy() for name, array in net.named_buffers()}
    gradcheck(net, RNG(3).standard_normal((5, 4)) + 9)
    for name, array in net.named_buffers():
        np.testing.assert_array_equal(array, before[name])
    assert len(before) == 2


class Breaks(Tanh):
    def backward(self, grad_output):
        raise ArithmeticError("broken")


def test_gradient_check_restores_generators_and_averages_if_a_layer_raises():
    net = Sequential(BatchNorm(4), Dropout(0.5, RNG(1)), Breaks())
    with pytest.raises(ArithmeticError, match="broken"):
        gradcheck(net, RNG(2).standard_normal((5, 4)) + 9)
    assert net.layers[1].rng.bit_generator.state == RNG(1).bit_generator.state
    assert not net.layers[0].running_mean.any()


class Gain(Module):
    """y = g x, whose gradient is stored in one of several ways."""

    def __init__(self, store):
        self.gain, self.store = Parameter(np.ones(4, np.float32)), store

    def forward(self, x):
        self.x = x
        return x * self.gain.value

    def backward(self, grad_output):
        self.store(self.gain, (grad_output * self.x).sum(axis=0))
        return grad_output * self.gain.value


def write(parameter, grad):
    parameter.grad[...] = grad


def add(parameter, grad):
    """As PyTorch does it: right at the first call, wrong at every other."""
    parameter.grad += grad


def test_gradient_check_wants_gradients_where_the_optimiser_reads_them():
    x = RNG(0).standard_normal((5, 4))
    assert max(gradcheck(Gain(write), x).values()) < 1e-6
    rebound = Gain(lambda parameter, grad: setattr(parameter, "grad", grad))
    with pytest.raises(ValueError, match=r"gain: expected backward to write into grad .*\(4,\)"):
        gradcheck(rebound, x)
    for keeps in (add, lambda parameter, grad: None):
        assert gradcheck(Gain(keeps), x)["gain"] == np.inf


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_an_infinite_error(bad):
    """max() passes over a NaN, so that one must not be in the result."""
    errors = gradcheck(Gain(lambda p, grad: write(p, grad * bad)), RNG(0).standard_normal((5, 4)))
    assert errors["gain"] == np.inf and max(errors.values()) == np.inf


@pytest.mark.parametrize(
    ("analytic", "numeric", "error"),
    [
        ([2.0, 1.0], [2.0, 1.5], 1 / 3),
        ([2e-3], [1e-3], 0.5),
        ([1.0, 1e-3], [1.0, 0.0], 0.1),  # a hundredth of the largest is the least to divide by
        ([1e-5], [0.0], 0.01),  # or a thousandth
        ([-1.0], [1.0], 2),
        ([-2.0], [1.0], 1.5),
        ([1.0], [-2.0], 1.5),
        ([1.0], [np.nan], np.inf),
        ([], [], 0),
    ],
)
def test_relative_errors_by_hand(analytic, numeric, error):
    found = relative_error(np.array(analytic), np.array(numeric))
    assert found == pytest.approx(error)


def test_differences_are_taken_over_steps_that_grow_with_the_number():
    array, seen = np.array([-100.0, 0.5]), []
    grad = numeric_gradient(lambda: seen.append(array.tolist()) or array[0] - array[1], array, 1e-2)
    assert seen == [[-99, 0.5], [-101, 0.5], [-100, 0.51], [-100, 0.49]]
    np.testing.assert_allclose(grad, [1, -1])
    assert array.tolist() == [-100, 0.5]


class WrongSign(Tanh):
    def backward(self, grad_output):
        return -super().backward(grad_output)


class ForgottenBias(Linear):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        self.bias.grad *= 0
        return grad_input


class ForgottenMean(LayerNorm):
    def backward(self, grad_output):
        return grad_output * self.gain.value * self.inverse_std


class OneElementOff(Tanh):
    def backward(self, grad_output):
        grad_input = super().backward(grad_output)
        grad_input[1, 1] *= 1 + 1e-4
        return grad_input


@pytest.mark.parametrize(
    "broken, where",
    [
        (WrongSign(), "x"),
        (OneElementOff(), "x"),
        (ForgottenBias(4, 3, RNG(1)), "bias"),
        (ForgottenMean(4), "x"),
        (Sequential(Linear(4, 4, RNG(1)), WrongSign()), "layers.0.weight"),
    ],
)
def test_gradient_check_catches_a_broken_backward(broken, where):
    assert gradcheck(broken, RNG(1).standard_normal((3, 4)))[where] > 1e-5


def test_batch_norm_running_averages_and_evaluation_agree_with_torch():
    ours, theirs = BatchNorm(4), torch.nn.BatchNorm1d(4)
    for seed in range(3):
        x = (RNG(seed).standard_normal((9, 4)) * 3 + 1).astype(np.float32)
        ours(x), theirs(torch.from_numpy(x))
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours.running_var, theirs.running_var.numpy(), rtol=1e-5)
    ours.eval(), theirs.eval()
    x = RNG(9).standard_normal((1, 4)).astype(np.float32)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-6)
    assert max(gradcheck(ours, x).values()) < 1e-6


@pytest.mark.parametrize(("momentum", "mean", "variance"), [(0, 0, 1), (1, 2, 2)])
def test_the_ends_of_batch_norm_s_momentum(momentum, mean, variance):
    """0 keeps the first averages, 1 takes the batch's: 1 and 3 have mean 2, unbiased variance 2."""
    layer = BatchNorm(1, momentum=momentum)
    layer(np.array([[1], [3]], np.float32))
    assert (layer.running_mean, layer.running_var) == (mean, variance)


def test_dropout_keeps_the_mean_drops_its_share_and_rests_in_evaluation():
    x = np.ones((400, 500), np.float32)
    dropout = Dropout(0.3, RNG(1))
    y = dropout(x).copy()
    assert abs((y == 0).mean() - 0.3) < 0.005
    assert abs(y.mean() - 1) < 0.01
    np.testing.assert_allclose(y[y > 0], 1 / 0.7, rtol=1e-4)
    np.testing.assert_array_equal(dropout.backward(x), y)
    assert not np.array_equal(dropout(x), y)
    assert dropout.eval()(x) is x
    assert dropout.backward(x) is x
    assert Dropout(0.0, RNG(1))(x) is x
    almost_all = Dropout(1 - 2**-20, RNG(1))(x)
    assert np.isfinite(almost_all).all() and 0 < np.count_nonzero(almost_all) < 20


@pytest.mark.parametrize("shape", [(3, 5), (64, 256), (7, 9001)])
def test_the_mask_is_made_of_the_generator_s_bits_in_their_order(shape):
    """Less than a block, a whole one, and several of which the last is no multiple of four."""
    x = RNG(0).standard_normal(shape).astype(np.float32)
    words = np.random.PCG64(5).random_raw(math.ceil(x.size / 4))
    kept = words.view(np.uint16)[: x.size].reshape(shape) >= round(0.3 * 65536)
    scale = np.float32(65536 / (65536 - round(0.3 * 65536)))
    y = Dropout(0.3, np.random.Generator(np.random.PCG64(5)))(x)
    np.testing.assert_array_equal(y, x * (kept * scale))


F64 = np.float64
FLOAT32_LAYERS = {
    "linear": lambda: Linear(8, 8, RNG(1)),
    "relu": lambda: ReLU(),
    "leaky_relu": lambda: LeakyReLU(F64(0.1)),
    "gelu": lambda: GELU(),
    "tanh": lambda: Tanh(),
    "sigmoid": lambda: Sigmoid(),
    "dropout": lambda: Dropout(F64(0.2), RNG(2)),
    "batch_norm": lambda: BatchNorm(8, momentum=F64(0.1), eps=F64(1e-5)),
    "layer_norm": lambda: LayerNorm(8, eps=F64(1e-5)),
    "residual": lambda: Residual(Linear(8, 8, RNG(3))),
    "standardise": lambda: Standardise(),
    "standardise_features": lambda: Standardise(features=8),
}


@pytest.mark.parametrize("name", FLOAT32_LAYERS)
def test_float32_stays_float32_whatever_scalars_come_along(name):
    """NumPy 2 takes a float64 scalar as a reason to promote: no layer may let one in."""
    for training in (True, False):
        layer = FLOAT32_LAYERS[name]().train(training)
        y = layer(RNG(4).standard_normal((6, 8)).astype(np.float32))
        assert y.dtype == np.float32
        grad = layer.backward(y.copy())
        assert grad is None or grad.dtype == np.float32
        assert all(p.value.dtype == p.grad.dtype == np.float32 for p in layer.parameters())
        assert all(array.dtype == np.float32 for array in layer.state_dict().values())


def test_standardise_takes_raw_bytes_and_comes_back_from_its_state():
    images = RNG(1).integers(0, 256, (50, 1, 4, 4), np.uint8)
    layer = Standardise().fit(images)
    y = layer(images)
    assert y.shape == (50, 16) and y.dtype == np.float32
    assert abs(y.mean()) < 1e-5 and abs(y.std() - 1) < 1e-5
    other = Standardise()
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other(images), y)


def test_a_mean_of_0_is_a_finite_one():
    x = np.array([[-2], [2]], np.float32)
    for layer in (Standardise(), Standardise(features=1)):
        assert layer.fit(x)(x).tolist() == [[-1], [1]]


def test_initialisers_have_the_distribution_that_their_papers_ask_for():
    he, xavier = he_normal(RNG(1), 300, 500), xavier_uniform(RNG(1), 300, 500)
    assert he.dtype == xavier.dtype == np.float32 and he.shape == xavier.shape == (300, 500)
    assert he.var() == pytest.approx(2 / 300, rel=0.02)
    assert xavier.var() == pytest.approx(2 / 800, rel=0.02)
    assert abs(xavier).max() <= np.sqrt(6 / 800)
    # The fourth moment over the square of the second: 3 of a normal, 9/5 of a uniform distribution.
    for weights, kurtosis in ((he, 3), (xavier, 1.8)):
        assert (weights**4).mean() / weights.var() ** 2 == pytest.approx(kurtosis, rel=0.03)


def test_state_comes_back_through_a_file_and_other_models_refuse_it(tmp_path):
    def build(seed, width=4):
        return Sequential(Linear(3, width, RNG(seed)), BatchNorm(width), ReLU())

    x = RNG(1).standard_normal((8, 3)).astype(np.float32)
    first, second = build(1), build(2)
    first(x)
    np.savez(tmp_path / "model.npz", **first.state_dict())
    with np.load(tmp_path / "model.npz", allow_pickle=False) as stored:
        second.load_state_dict(stored)
    np.testing.assert_array_equal(first.eval()(x), second.eval()(x))
    assert "layers.1.running_mean" in first.state_dict()
    with pytest.raises(ValueError, match=r"layers.0.weight: expected shape \(3, 5\)"):
        build(1, 5).load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match="missing: none; unknown: layers.1.gain, layers.1.running"):
        Sequential(Linear(3, 4, RNG(1))).load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match="missing: layers.0.bias, .*; unknown: none"):
        build(1).load_state_dict({})


def test_the_first_layer_leaves_out_the_gradient_that_nobody_needs():
    net = Sequential(Standardise(), Linear(3, 4, RNG(1), input_grad=False), Tanh())
    x = RNG(1).standard_normal((5, 3))
    net(x)
    assert net.backward(np.ones((5, 4), np.float32)) is None
    assert np.abs(net.layers[1].weight.grad).max() > 0


@pytest.mark.parametrize(
    "layer, x, message",
    [
        (Linear(3, 4, RNG(1)), (3,), r"Linear\(3, 4\).*\(N, ..., 3\).*found \(3,\)"),
        (Residual(Linear(3, 4, RNG(1))), (2, 3), r"keeps the shape \(2, 3\), found \(2, 4\)"),
    ],
)
def test_a_wrong_shape_names_the_layer_the_expected_and_the_found(layer, x, message):
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(x, np.float32))


def test_a_rate_of_1_and_a_module_without_forward_are_refused():
    with pytest.raises(ValueError, match=r"Dropout\(1.0\): expected a rate in \[0, 1\)"):
        Dropout(1.0, RNG(1))
    with pytest.raises(NotImplementedError):
        Module().forward(np.zeros(1))
