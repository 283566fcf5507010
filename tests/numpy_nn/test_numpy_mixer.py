"""Layers with more than one leading axis, layers for tokens, and models from their files."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from numpy_nn import (
    GELU,
    AdamW,
    BatchNorm,
    Flatten,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Standardise,
    Transpose,
    build_mlp,
    gradcheck,
    model_from_state,
    predict,
)

RNG = np.random.default_rng


class Apply(nn.Module):
    """A function of one tensor as a PyTorch module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class TorchBatchNorm(nn.BatchNorm1d):
    """Over all leading axes, the last one being the features."""

    def forward(self, x):
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class TorchResidual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def swap():
    return Apply(lambda x: x.transpose(1, 2))


# name -> (ours, PyTorch's), for T tokens of C channels
LAYERS = {
    "linear": (lambda t, c: Linear(c, 5, RNG(1)), lambda t, c: nn.Linear(c, 5)),
    "transpose": (lambda t, c: Transpose(), lambda t, c: swap()),
    "flatten": (lambda t, c: Flatten(), lambda t, c: nn.Flatten()),
    "batch_norm": (lambda t, c: BatchNorm(c), lambda t, c: TorchBatchNorm(c)),
    "layer_norm": (lambda t, c: LayerNorm(c), lambda t, c: nn.LayerNorm(c)),
    "gelu": (lambda t, c: GELU(), lambda t, c: nn.GELU(approximate="tanh")),
    "mix_tokens": (
        lambda t, c: Residual(
            Sequential(
                *(LayerNorm(c), Transpose(), Linear(t, 7, RNG(1)), GELU()),
                *(Linear(7, t, RNG(2)), Transpose()),
            )
        ),
        lambda t, c: TorchResidual(
            *(nn.LayerNorm(c), swap(), nn.Linear(t, 7), nn.GELU(approximate="tanh")),
            *(nn.Linear(7, t), swap()),
        ),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("shape", [(5, 1, 6), (9, 16, 8)])
def test_three_axes_agree_with_torch(name, shape):
    ours, theirs = (make(*shape[1:]) for make in LAYERS[name])
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.value += RNG(5).standard_normal(mine.value.shape).astype(np.float32) / 4
        other.data = torch.from_numpy(mine.value.T.copy())
    x = RNG(shape[0]).standard_normal(shape).astype(np.float32)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    expected = theirs(tensor)
    y = ours(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-5, atol=1e-5)
    grad = RNG(3).standard_normal(y.shape).astype(np.float32)
    expected.backward(torch.from_numpy(grad))
    grad_input = ours.backward(grad)
    assert grad_input.dtype == np.float32
    np.testing.assert_allclose(grad_input, tensor.grad.numpy(), rtol=1e-5, atol=1e-5)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad, other.grad.numpy().T, rtol=1e-5, atol=2e-5)


def test_transposing_copies_as_matrix_products_need_it():
    x, layer = np.zeros((2, 3, 4), np.float32), Transpose()
    for array in (layer(x), layer.backward(np.zeros((2, 4, 3), np.float32))):
        assert array.flags.c_contiguous and array.flags.owndata


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_check_on_a_random_shape(name):
    rng = RNG(0)
    shape = rng.integers(2, 6, 3)
    errors = gradcheck(LAYERS[name][0](*shape[1:]), rng.standard_normal(shape))
    assert max(errors.values()) < 1e-6, (shape, errors)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Transpose()(np.zeros((2, 3))), r"Transpose\(\): .*\(N, T, C\).*found \(2, 3\)"),
        (lambda: build_mlp([2, 2], 0, RNG(1), RNG(2), norm="group"), "norm: .*found 'group'"),
        (lambda: build_mlp([2, 2], 0, RNG(1), RNG(2), activation="elu"), "activation: .*'elu'"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


MODELS = {
    "mlp": lambda: build_mlp([64, 8, 3], 0.2, RNG(1), RNG(2)),
    "mlp_batch": lambda: build_mlp([64, 9, 5, 3], 0.1, RNG(1), RNG(2), norm="batch"),
    "mlp_options": lambda: build_mlp(
        *([64, 9, 5, 3], 0.1, RNG(1), RNG(2), Standardise(features=64)),
        activation="gelu",
        norm="layer",
        input_dropout=0.1,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_and_comes_back_from_its_file(name, tmp_path):

    x = RNG(1).integers(0, 256, (60, 1, 8, 8), np.uint8)
    y = np.arange(60) % 3
    model, loss = MODELS[name](), SoftmaxCrossEntropy()
    optimiser = AdamW(model.parameters(), 0.01)
    losses = []
    for _ in range(80):
        losses.append(loss.forward(model.forward(x), y))
        assert model.backward(loss.backward()) is None
        optimiser.step()
    assert losses[-1] < losses[0] / 2
    np.savez(tmp_path / "model.npz", **model.state_dict())
    with np.load(tmp_path / "model.npz", allow_pickle=False) as stored:
        again = model_from_state(dict(stored))
    np.testing.assert_array_equal(predict(again, x), predict(model, x))
    assert again.architecture == model.architecture


def test_an_architecture_is_stored_as_json_in_the_order_of_its_names():
    model = build_mlp([4, 3, 2], np.float64(0.5), RNG(1), RNG(2))
    text = model.state_dict()["architecture"].tobytes().decode()
    assert list(json.loads(text)) == sorted(model.architecture)
    assert model.architecture["dropout"] == 0.5 and model.architecture["widths"] == [4, 3, 2]


def test_a_state_of_another_architecture_is_refused():
    relu, gelu = (build_mlp([4, 3, 2], 0, RNG(1), RNG(2), activation=a) for a in ("relu", "gelu"))
    with pytest.raises(ValueError, match="expected architecture .*'gelu'.*found .*'relu'"):
        gelu.load_state_dict(relu.state_dict())
    with pytest.raises(ValueError, match="expected a name 'architecture'"):
        model_from_state({"layers.0.moments": np.zeros(2)})
    text = np.frombuffer(b'{"kind": "forest", "per_feature": false}', np.uint8)
    with pytest.raises(ValueError, match="one of .'mlp', 'token_mixer'., found 'forest'"):
        model_from_state({"architecture": text})


def test_per_feature_standardisation():
    x = RNG(1).standard_normal((50, 4)).astype(np.float32) * [1, 10, 100, 0] + [0, 5, 1000, 7]
    for dtype in (np.float16, np.float32):
        layer = Standardise(features=4).fit(x.astype(dtype), rows=7)
        y = layer(x.astype(dtype))
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.mean(0), 0, atol=1e-3)
        np.testing.assert_allclose(y.std(0), [1, 1, 1, 0], atol=1e-3)
    with pytest.raises(ValueError, match=r"4 features\): expected shape \(N, 4\), found \(2, 3\)"):
        layer(np.zeros((2, 3)))
    assert ReLU()(y).dtype == np.float32
