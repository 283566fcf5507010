"""Augmentation, schedules, normalisation, the three image models and their training step."""

import math

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, cross_entropy, gelu, max_pool2d, unfold

from torch_nn import cnn as textbook
from torch_nn import fast_cnn as fast
from torch_nn import image_classifier as classifier
from torch_nn.augment import cutout, flip, flip_some, random_crop, resize, shift
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


def test_the_chosen_images_are_flipped_and_no_others():
    x = pictures(n=4)
    y = flip_some(x, torch.tensor([True, False, False, True]))
    assert torch.equal(y[1:3], x[1:3]) and torch.equal(y[::3], flip(x[::3]))


def test_a_shift_moves_the_picture_and_reflects_at_the_edge():
    x = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert shift(x, 0, 1)[0, 0, 0].tolist() == [1, 0, 1, 2]
    assert shift(x, 0, -1)[0, 0, 0].tolist() == [1, 2, 3, 2]
    assert shift(x, 1, 0)[0, 0, :, 0].tolist() == [4, 0, 4, 8]
    assert shift(x, -2, 0)[0, 0, :, 0].tolist() == [8, 12, 8, 4]
    assert torch.equal(shift(x, 0, 0), x)


def test_a_resized_picture_keeps_its_mean():
    x = pictures(n=3, size=8)
    y = resize(x, 4)
    assert y.shape == (3, 3, 4, 4) and y.dtype == torch.float32
    flat = resize(torch.full((1, 1, 8, 8), 7, dtype=torch.uint8), 6)
    torch.testing.assert_close(flat, torch.full((1, 1, 6, 6), 7.0))
    assert (y.mean(dim=(2, 3)) - x.float().mean(dim=(2, 3))).abs().max() < 15


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
        classifier.augment(x, flips=torch.arange(16) < 8, crop=2, hole=3, generator=seeded(s))
        for s in (1, 1, 2)
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
    return classifier.MLP(shape, classes, widths, dropout)


def cnn(shape=(3, 8, 8), classes=4, widths=(8, 12), hidden=7):
    torch.manual_seed(0)
    return classifier.CNN(shape, classes, widths, hidden, dropout=0.0)


def fast_cnn(shape=(3, 8, 8), classes=4, widths=(8, 12)):
    torch.manual_seed(0)
    return classifier.FastCNN(shape, classes, widths)


def test_parameters_of_the_mlp_counted_by_hand():
    # weights, then a scale and a shift per unit; the head has a bias.
    rest = 2 * 6 + (6 * 5 + 2 * 5) + (5 * 4 + 4)
    assert parameter_count(mlp()) == 192 * 6 + rest


def test_parameters_of_the_cnns_counted_by_hand():
    convolutions = (3 * 8 * 9 + 2 * 8) + (8 * 12 * 9 + 2 * 12)
    assert parameter_count(cnn()) == convolutions + (12 * 4 * 7 + 2 * 7) + (7 * 4 + 4)
    first = (24 * 8 * 9 + 8) + (8 * 8 * 9 + 8)
    second = (8 * 12 * 9 + 12) + (12 * 12 * 9 + 12)
    assert parameter_count(fast_cnn()) == 24 + first + second + 12 * 4


def test_a_convolution_normalises_activates_and_pools_in_this_order():
    torch.manual_seed(0)
    layer, x = textbook.Convolution(3, 5), torch.randn(2, 3, 6, 6)
    expected = batch_norm(conv2d(x, layer.convolution.weight, padding=1), None, None, training=True)
    torch.testing.assert_close(layer(x), max_pool2d(expected.relu(), 2))


@pytest.mark.parametrize("pool", [False, True])
def test_a_fast_convolution_pools_normalises_and_activates_in_this_order(pool):
    torch.manual_seed(0)
    layer, x = fast.Convolution(3, 5, pool=pool), torch.randn(2, 3, 6, 6)
    expected = conv2d(x, layer.convolution.weight, padding=1)
    expected = max_pool2d(expected, 2) if pool else expected
    torch.testing.assert_close(layer(x), gelu(batch_norm(expected, None, None, training=True)))


def test_a_fresh_fast_convolution_passes_its_channels_on():
    layer, x = fast.Convolution(3, 5, pool=False), torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(layer.convolution(x)[:, :3], x)


@pytest.mark.parametrize(("build", "least"), [(cnn, 8), (fast_cnn, 9)])
def test_images_that_are_too_small_for_the_groups_are_refused(build, least):
    build(shape=(3, least, least), widths=(4, 4, 4))
    with pytest.raises(ValueError, match=f"{least - 1}x{least - 1} pixels cannot be halved 3"):
        build(shape=(3, least - 1, least - 1), widths=(4, 4, 4))


def test_the_receptive_fields_of_the_docstrings():
    """The side of the square of pixels whose gradient is not 0."""
    for net, module, field in (
        (cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "convolutions.0", 4),
        (cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "convolutions.1", 10),
        (cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "convolutions.2", 22),
        (fast_cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "whitening", 2),
        (fast_cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "groups.0", 5),
        (fast_cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "groups.1", 9),
        (fast_cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "groups.3", 23),
        (fast_cnn(shape=(3, 64, 64), widths=(4, 4, 4)), "groups.5", 51),
    ):
        seen = []
        net.eval()
        for layer in net.modules():  # a maximum has a gradient in one place, a mean in all
            if isinstance(layer, torch.nn.MaxPool2d):
                layer.forward = lambda x: torch.nn.functional.avg_pool2d(x, 2)
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.ones_(layer.weight)
        net.get_submodule(module).register_forward_hook(lambda _, __, out: seen.append(out))  # noqa: B023
        x = torch.rand(1, 3, 64, 64, requires_grad=True)
        net(x)
        out = seen[0]
        out[0, :, out.size(2) // 2, out.size(3) // 2].sum().backward()
        assert (x.grad.abs().sum(dim=(0, 1, 2)) > 0).sum() == field, (module, field)


def test_whitened_patches_are_uncorrelated_and_of_one_variance():
    x = pictures(n=400, size=8).float()
    x = x + 3 * x.mean(dim=1, keepdim=True)  # colours that go together
    layer = fast.Whitening(3)
    layer.fit(x / 100 - 5, eps=0.0)
    with torch.no_grad():
        y = layer.convolution(x / 100 - 5)  # (N, 24, 7, 7)
    flat = y[:, :12].transpose(0, 1).flatten(1)
    torch.testing.assert_close(flat @ flat.T / flat.size(1), torch.eye(12), atol=1e-3, rtol=0)
    torch.testing.assert_close(y[:, 12:], -y[:, :12])
    # it is the convolution of the patches that unfold gives.
    patches = unfold(x[:1] / 100 - 5, 2)[0]  # (12, 49)
    weight = layer.convolution.weight.flatten(1)
    torch.testing.assert_close((weight @ patches).view(24, 7, 7), y[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("build", [cnn, fast_cnn])
def test_a_fresh_cnn_knows_little(build):
    net = build()
    net.fit(pictures())
    found = classifier.probabilities(net.train(), pictures(), bfloat16=False)
    assert (found - 0.25).abs().max() < 0.5
    torch.testing.assert_close(found.sum(1), torch.ones(16))


def test_an_mlp_cannot_tell_pixel_order_but_a_cnn_can():
    x = pictures(n=32, size=8)
    order = torch.randperm(64, generator=seeded())
    shuffled = x.flatten(2)[:, :, order].reshape(x.shape)
    a, b = mlp(), mlp()
    first = b.hidden[0].weight.data
    b.hidden[0].weight.data = first.reshape(6, 3, 64)[:, :, order].reshape(6, 192)
    torch.testing.assert_close(a.eval()(x), b.eval()(shuffled))


@pytest.mark.parametrize("net", [mlp(widths=(64,)), cnn(hidden=32), fast_cnn()])
def test_a_tiny_batch_is_learned_by_heart(net):
    x, y = pictures(n=24), torch.arange(24) % 4
    net.fit(x)
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
