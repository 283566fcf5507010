"""Tokens cut out of features, and the mixer over them."""

import numpy as np
import pytest
import torch

from mlp.model import token_table
from numpy_nn import (
    Dropout,
    Gather,
    Linear,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Standardise,
    Unfold,
    build_token_mixer,
    gradcheck,
    model_from_state,
)
from pipeline.errors import InputError

TABLE = np.array([[0, 1, -1], [1, 2, 2], [4, -1, 0]])


def small(norm="batch", activation="relu", table=TABLE, **options):
    rng = np.random.default_rng
    return build_token_mixer(
        table, 5, 4, 1, 6, 7, [8], 3, rng(1), rng(2), Standardise(features=5),
        norm=norm, activation=activation, **options,
    )  # fmt: skip


def test_gather_takes_what_the_table_names_and_zero_outside():
    y = Gather(TABLE, 5).forward(np.array([[10, 11, 12, 13, 14]], np.float32))
    assert y.tolist() == [[[10, 11, 0], [11, 12, 12], [14, 0, 10]]]


def test_gather_gives_each_feature_the_sum_of_its_places():
    x = np.random.default_rng(0).standard_normal((4, 5))
    errors = gradcheck(Gather(TABLE, 5), x)
    assert max(errors.values()) < 1e-6
    layer = Gather(TABLE, 5)
    layer.forward(x)
    assert layer.backward(np.ones((4, 3, 3)))[0].tolist() == [2, 2, 2, 0, 1]


@pytest.mark.parametrize("table", [[[0, 5]], [[-2, 0]], [], [1, 2]])
def test_gather_refuses_a_table_of_other_numbers(table):
    with pytest.raises(ValueError, match="Gather"):
        Gather(np.array(table), 5)


def test_gather_names_the_shape_it_expects():
    with pytest.raises(ValueError, match=r"\(N, 5\).*\(2, 4\)"):
        Gather(TABLE, 5).forward(np.zeros((2, 4), np.float32))


@pytest.mark.parametrize(
    ("side", "window", "stride"),
    [
        (4, 3, 1),
        (6, 4, 2),
        (5, 3, 2),
        (5, 2, 2),
        (3, 1, 1),
        (7, 3, 3),
        (2, 3, 1),
        (3, 7, 2),
        (1, 5, 1),
    ],
)
def test_unfold_agrees_with_pytorch_and_passes_the_gradient_check(side, window, stride):
    x = np.random.default_rng(side).standard_normal((2, side**2, 3))
    layer = Unfold(side, window, stride)
    image = torch.from_numpy(x.reshape(2, side, side, 3).transpose(0, 3, 1, 2))
    image.requires_grad_()
    y = torch.nn.functional.unfold(image, window, padding=(window - 1) // 2, stride=stride)
    y = y.reshape(2, 3, window**2, -1).permute(0, 3, 2, 1).flatten(2)  # ours: C is the last axis
    np.testing.assert_array_equal(layer(x), y.detach().numpy())
    grad = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(torch.from_numpy(grad))
    expected = image.grad.numpy().transpose(0, 2, 3, 1).reshape(x.shape)
    np.testing.assert_allclose(layer.backward(grad), expected, rtol=1e-12, atol=1e-12)
    assert gradcheck(layer, x)["x"] < 1e-6


LEVELS = [{"window": 3, "stride": 1, "channels": 4}, {"window": 2, "stride": 2, "channels": 5}]
SQUARE = np.array([[0, 1], [2, 2], [4, -1], [3, 0]])


def test_levels_are_convolutions_of_pytorch():
    """The same numbers as conv2d, with a shortcut where grid and channels stay."""
    model = small("none", table=SQUARE, levels=LEVELS).eval()
    x = np.random.default_rng(3).standard_normal((6, 5)).astype(np.float32)
    unfolds = [k for k, part in enumerate(model.layers) if not isinstance(part, Unfold)]
    assert len(unfolds) == len(model.layers) - 1, "the first level is inside a Residual"
    embedded = Sequential(*model.layers[:4]).forward(x)  # Standardise, Gather, Linear, ReLU
    z = torch.from_numpy(embedded.reshape(6, 2, 2, 4).transpose(0, 3, 1, 2).copy())
    inner = model.layers[4].inner.layers
    z = z + torch.relu(convolution(z, inner[1], 3, 1, 1))
    z = torch.relu(convolution(z, model.layers[6], 2, 2, 0))
    ours = Sequential(*model.layers[4:8]).forward(embedded)
    assert ours.shape == (6, 1, 5)
    np.testing.assert_allclose(ours[:, 0], z.flatten(1).numpy(), atol=1e-6)


def convolution(z, linear, window, stride, padding):
    weight = torch.from_numpy(linear.weight.value.reshape(window, window, z.shape[1], -1))
    kernel = weight.permute(3, 2, 0, 1)
    bias = torch.from_numpy(linear.bias.value)
    return torch.nn.functional.conv2d(z, kernel, bias, stride, padding)


def test_a_level_of_other_channels_has_no_shortcut():
    for channels, shortcut in ((4, True), (3, False)):
        level = {"window": 3, "stride": 1, "channels": channels}
        model = small("none", table=SQUARE, levels=[level])
        assert isinstance(model.layers[4], Residual) is shortcut
        assert model(np.ones((2, 5), np.float32)).shape == (2, 3)


def test_levels_need_a_square_of_tokens_and_windows_that_fit():
    with pytest.raises(ValueError, match="levels: expected a square number of tokens, found 3"):
        small(levels=LEVELS)
    with pytest.raises(ValueError, match="Unfold"):
        small(table=SQUARE, levels=[{"window": 0, "stride": 1, "channels": 4}])


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_the_gradients_agree_with_pytorch(norm):
    """The whole net, written again with torch functions on the same weights."""
    model = small(norm, activation="gelu").train()
    x = np.random.default_rng(3).standard_normal((6, 5)).astype(np.float32)
    y = np.array([0, 1, 2, 2, 1, 0])
    loss = SoftmaxCrossEntropy()
    value = loss.forward(model.forward(x), y)
    model.backward(loss.backward())
    named = dict(model.named_parameters())
    weights = {n: torch.from_numpy(p.value.copy()).requires_grad_() for n, p in named.items()}
    unread = iter(weights.values())
    take = lambda: next(unread)  # noqa: E731

    def linear(z):
        return z @ take() + take()

    def normalise(z):
        if norm == "none":
            return z
        if norm == "layer":
            return torch.nn.functional.layer_norm(z, z.shape[-1:], take(), take(), 1e-5)
        rows = z.reshape(-1, z.shape[-1])
        out = torch.nn.functional.batch_norm(rows, None, None, take(), take(), True, 0.1, 1e-5)
        return out.reshape(z.shape)

    act = lambda z: torch.nn.functional.gelu(z, approximate="tanh")  # noqa: E731
    padded = torch.cat([torch.from_numpy(x), torch.zeros(6, 1)], 1)
    z = act(normalise(linear(padded[:, torch.from_numpy(TABLE)])))
    z = z + linear(act(linear(normalise(z).transpose(1, 2)))).transpose(1, 2)
    z = z + linear(act(linear(normalise(z))))
    z = act(normalise(linear(normalise(z).reshape(6, -1))))
    expected = torch.nn.functional.cross_entropy(linear(z), torch.from_numpy(y))
    assert next(unread, None) is None
    expected.backward()
    assert value == pytest.approx(expected.item(), abs=1e-5)
    for name, parameter in named.items():
        np.testing.assert_allclose(
            parameter.grad, weights[name].grad.numpy(), atol=1e-5, err_msg=name
        )


@pytest.mark.parametrize("options", [{}, {"table": SQUARE, "levels": LEVELS}])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_the_whole_net_passes_the_gradient_check(norm, options):
    model = small(norm, activation="gelu", dropout=0.2, mixer_dropout=0.2, **options)
    layers = model.layers[1:]
    for layer in layers:  # without Standardise, which ends the gradient
        if isinstance(layer, Linear):
            layer.input_grad = True
    assert any(isinstance(layer, Dropout) for layer in layers)
    errors = gradcheck(Sequential(*layers), np.random.default_rng(3).standard_normal((4, 5)))
    assert "x" in errors and max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("options", [{}, {"table": SQUARE, "levels": LEVELS}])
def test_a_stored_model_is_rebuilt_with_its_table(options):
    model = small(dropout=0.5, mixer_dropout=0.1, **options).eval()
    x = np.random.default_rng(4).standard_normal((3, 5)).astype(np.float32)
    again = model_from_state(model.state_dict())
    np.testing.assert_array_equal(again.forward(x), model.forward(x).copy())


def test_tokens_of_pixels_and_cells_lie_over_each_other():
    # A 4x4 image and 2x2 cells of 3 numbers, cut into 2x2 tokens of 2 pixels.
    table = token_table([(4, 4, 1), (2, 2, 3)], side=4, patch=2)
    assert table.tolist() == [
        [0, 1, 4, 5, 16, 17, 18],
        [2, 3, 6, 7, 19, 20, 21],
        [8, 9, 12, 13, 22, 23, 24],
        [10, 11, 14, 15, 25, 26, 27],
    ]


def test_without_a_margin_every_input_is_in_one_token():
    table = token_table([(28, 28, 1), (7, 7, 12), (14, 14, 12)], side=28, patch=4)
    assert table.shape == (49, 76)
    assert sorted(table.ravel().tolist()) == list(range(3724))


def test_a_margin_adds_whole_cells_and_nothing_beyond_the_image():
    table = token_table([(4, 4, 1), (2, 2, 1)], side=4, patch=2, margin=1)
    # 4x4 pixels around the first token; half a cell of the second grid is none.
    assert table[0].tolist() == [-1, -1, -1, -1, -1, 0, 1, 2, -1, 4, 5, 6, -1, 8, 9, 10, 16]


@pytest.mark.parametrize(
    ("grids", "patch", "message"),
    [
        ([(28, 28, 1)], 5, "divisor of 28 pixels, found 5"),
        ([(28, 28, 1), (6, 6, 36)], 4, "7x7 cells.*found 6x6"),
        ([(28, 14, 1)], 4, "28x14"),
    ],
)
def test_tokens_that_cannot_be_cut_are_refused(grids, patch, message):
    with pytest.raises(InputError, match=message):
        token_table(grids, 28, patch)
