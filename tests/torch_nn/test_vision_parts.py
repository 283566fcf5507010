"""Augmentation, schedules, normalisation, the two image models and their training step."""

import math

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, cross_entropy, gelu, max_pool2d

from torch_nn import image_classifier as classifier
from torch_nn.augment import cutout, flip, random_crop, random_flip
from torch_nn.cnn import Convolution, Stage
from torch_nn.mlp import Normalise
from torch_nn.optimisation import clipped_step, decay_groups
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle


def pictures(n=16, channels=3, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (n, channels, size, size)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_flip_twice_is_identity_and_swaps_columns():
    x = pictures()
    assert torch.equal(flip(flip(x)), x)
    assert torch.equal(flip(x)[..., 0], x[..., -1])


def test_random_flip_gives_each_image_or_its_flip_about_half_each():
    x = pictures(n=400, size=4)
    y = random_flip(x, seeded())
    same = (y == x).flatten(1).all(1)
    flipped = (y == flip(x)).flatten(1).all(1)
    assert (same | flipped).all()
    assert 150 < flipped.sum() < 250


def test_random_crop_moves_the_picture_and_keeps_its_pixels():
    x = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8).expand(300, 3, 8, 8)
    y = random_crop(x, 2, seeded())
    assert y.shape == x.shape and y.dtype == x.dtype
    assert torch.equal(y[:, 0], y[:, 1])  # the channels of an image move together
    # the inner part of a crop is a shifted part of the picture: neighbours stay neighbours.
    inner = y[:, 0, 2:-2, 2:-2].int()
    assert (inner[:, :, 1:] - inner[:, :, :-1] == 1).all()
    assert (inner[:, 1:] - inner[:, :-1] == 8).all()
    shifts = {int(s) for s in inner[:, 0, 0] - x[0, 0, 2, 2].int()}
    assert shifts == {8 * dy + dx for dy in range(-2, 3) for dx in range(-2, 3)}


def test_random_crop_reflects_at_the_edge():
    x = torch.arange(4, dtype=torch.uint8).expand(200, 1, 4, 4)
    rows = {tuple(r) for r in random_crop(x, 1, seeded())[:, 0, 0].tolist()}
    assert rows == {(1, 0, 1, 2), (0, 1, 2, 3), (1, 2, 3, 2)}


def test_crop_and_cutout_of_zero_change_nothing():
    x = pictures()
    assert random_crop(x, 0, seeded()) is x
    assert cutout(x, 0, seeded()) is x


def test_cutout_fills_one_square_with_the_mean_colour():
    x = pictures(n=50, size=12)
    y = cutout(x, 5, seeded())
    mean = x.float().mean(dim=(2, 3), keepdim=True).to(torch.uint8)
    changed = (x != y).any(1)
    for n in range(50):
        rows, columns = changed[n].any(1).nonzero(), changed[n].any(0).nonzero()
        box = y[n, :, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (box == mean[n]).all()
        assert 4 <= changed[n].sum() <= 25


def test_augmentation_repeats_under_a_seed_and_differs_under_another():
    x = pictures()
    a, b, c = (
        classifier.augment(x, flips=True, crop=2, hole=3, generator=seeded(s)) for s in (1, 1, 2)
    )
    assert torch.equal(a, b) and not torch.equal(a, c)


@pytest.mark.parametrize(("decay", "quarter"), [("cosine", 0.5 + 0.5**1.5), ("linear", 0.75)])
def test_one_cycle_rises_then_falls_to_its_end(decay, quarter):
    factor = one_cycle(104, 4, decay, final=0.0)
    assert [factor(s) for s in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert math.isclose(factor(28), quarter)  # 25 of 100 falling steps are done
    assert math.isclose(factor(53), 0.5)
    assert math.isclose(factor(200), 0.0, abs_tol=1e-12)  # beyond the end
    assert math.isclose(factor(103), 0.0, abs_tol=1e-12)
    falling = [factor(s) for s in range(3, 104)]
    assert falling == sorted(falling, reverse=True)
    assert math.isclose(one_cycle(104, 4, decay, final=0.1)(103), 0.1)
    assert math.isclose(one_cycle(104, 4, decay, final=0.1)(53), 0.55)


def test_one_cycle_stays_at_the_peak_for_a_while():
    factor = one_cycle(104, 4, "linear", constant_steps=50)
    assert [factor(s) for s in (3, 4, 53)] == [1.0] * 3
    assert math.isclose(factor(78), 0.5)  # 25 of 50 falling steps are done
    assert factor(103) == 0.0


def test_one_cycle_refuses_what_cannot_be():
    for constant in (0, -1):
        with pytest.raises(ValueError, match="fit"):
            one_cycle(10, 10, constant_steps=constant)
    with pytest.raises(ValueError, match="4 steps of warm-up and 6 at the peak do not fit"):
        one_cycle(10, 4, constant_steps=6)
    with pytest.raises(ValueError, match="decay"):
        one_cycle(10, 1, "step")


def test_normalise_gives_mean_zero_and_deviation_one():
    x = pictures(n=64)
    layer = Normalise(3)
    layer.fit(x)
    y = layer(x)
    torch.testing.assert_close(y.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std(dim=(0, 2, 3), correction=0), torch.ones(3))


def test_normalise_survives_a_constant_channel():
    layer = Normalise(1)
    layer.fit(torch.full((2, 1, 2, 2), 7, dtype=torch.uint8))
    assert torch.isfinite(layer(torch.zeros(1, 1, 2, 2))).all()


def mlp(shape=(3, 8, 8), classes=4, widths=(6, 5), dropout=0.0):
    torch.manual_seed(0)
    return classifier.build("mlp", shape, classes, widths=widths, dropout=dropout)


def cnn(shape=(3, 8, 8), classes=4, widths=(8, 12), depth=2, residual=True, stem=5):
    torch.manual_seed(0)
    return classifier.build(
        "cnn", shape, classes, widths=widths, dropout=0.0, stem=stem, depth=depth, residual=residual
    )


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="model: expected 'mlp' or 'cnn', found 'vit'"):
        classifier.build("vit", (3, 8, 8), 4, widths=(6,), dropout=0.0)


def test_parameters_of_the_mlp_counted_by_hand():
    # weights, then a scale and a shift per unit; the head has a bias.
    expected = (192 * 6 + 2 * 6) + (6 * 5 + 2 * 5) + (5 * 4 + 4)
    assert parameter_count(mlp()) == expected


def test_parameters_of_the_cnn_counted_by_hand():
    stem = 3 * 5 * 9 + 2 * 5
    first = (5 * 8 * 9 + 2 * 8) + (8 * 8 * 9 + 2 * 8)
    second = (8 * 12 * 9 + 2 * 12) + (12 * 12 * 9 + 2 * 12)
    assert parameter_count(cnn()) == stem + first + second + (12 * 4 + 4)


@pytest.mark.parametrize("pool", [False, True])
def test_a_convolution_pools_normalises_and_activates_in_this_order(pool):
    torch.manual_seed(0)
    layer, x = Convolution(3, 5, pool=pool), torch.randn(2, 3, 6, 6)
    expected = conv2d(x, layer.convolution.weight, padding=1)
    expected = max_pool2d(expected, 2) if pool else expected
    expected = gelu(batch_norm(expected, None, None, training=True))
    torch.testing.assert_close(layer(x), expected)


def test_a_cnn_halves_the_grid_once_a_stage():
    net = cnn().eval()
    grid = net.stages(net.stem(net.normalise(pictures(n=2))))
    assert grid.shape == (2, 12, 2, 2)
    with pytest.raises(ValueError, match="halved"):
        cnn(shape=(3, 8, 8), widths=(4, 4, 4, 4))


def test_the_shortcut_adds_the_stage_input():
    with_shortcut, without = cnn().eval(), cnn(residual=False).eval()
    x = torch.randn(2, 5, 8, 8)
    a, b = with_shortcut.stages[0], without.stages[0]
    torch.testing.assert_close(a(x) - b(x), a.widen(x))


def test_a_fresh_cnn_knows_nothing():
    found = classifier.probabilities(cnn(), pictures(), bfloat16=False)
    torch.testing.assert_close(found, torch.full((16, 4), 0.25))


def test_an_mlp_cannot_tell_pixel_order_but_a_cnn_can():
    x = pictures(n=32, size=8)
    order = torch.randperm(64, generator=seeded())
    shuffled = x.flatten(2)[:, :, order].reshape(x.shape)
    a, b = mlp(), mlp()
    first = b.hidden[0].weight.data
    b.hidden[0].weight.data = first.reshape(6, 3, 64)[:, :, order].reshape(6, 192)
    torch.testing.assert_close(a.eval()(x), b.eval()(shuffled))


@pytest.mark.parametrize("net", [mlp(widths=(64,)), cnn(widths=(16, 32))])
def test_a_tiny_batch_is_learned_by_heart(net):
    x, y = pictures(n=24), torch.arange(24) % 4
    net.normalise.fit(x)
    optimizer = torch.optim.SGD(decay_groups(net, 0.0), 0.05, momentum=0.9, nesterov=True)
    for _ in range(60):
        loss = cross_entropy(classifier.logits(net, x, bfloat16=False), y)
        value = clipped_step(net, optimizer, loss, 0.05, clip=math.inf)
    assert value < 0.1
    assert (classifier.probabilities(net, x, bfloat16=False).argmax(1) == y).all()


def test_test_time_flips_do_not_see_the_direction():
    net = cnn()
    torch.nn.init.normal_(net.head.weight)
    x = pictures()
    with_flips = [
        classifier.probabilities(net, images, bfloat16=False, flips=True) for images in (x, flip(x))
    ]
    torch.testing.assert_close(*with_flips)
    plain = [classifier.probabilities(net, images, bfloat16=False) for images in (x, flip(x))]
    assert not torch.allclose(*plain)
    torch.testing.assert_close(with_flips[0], (plain[0] + plain[1]) / 2)


def test_probabilities_do_not_depend_on_the_batch():
    net = cnn()
    torch.nn.init.normal_(net.head.weight)
    whole = classifier.probabilities(net, pictures(), bfloat16=False)
    parts = classifier.probabilities(net, pictures(), bfloat16=False, batch_size=5)
    torch.testing.assert_close(whole, parts)


def test_bfloat16_stays_near_float32():
    net = cnn()
    torch.nn.init.normal_(net.head.weight, std=0.1)
    exact, rounded = (classifier.logits(net.eval(), pictures(), b) for b in (False, True))
    assert rounded.dtype == torch.float32
    assert 0 < (exact - rounded).abs().max() < 0.05 * exact.abs().max()


def test_a_stage_of_one_convolution_has_nothing_to_add_to():
    """With a residual connection it would double what it passes on."""
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    plain, residual = Stage(3, 5, 1, residual=False), Stage(3, 5, 1, residual=True)
    residual.load_state_dict(plain.state_dict())
    assert torch.equal(residual(x), plain(x))
