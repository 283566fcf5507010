"""Losses, optimisers, schedules, batches and the training loop of Part 1."""

import json

import numpy as np
import pytest
import torch

from numpy_nn import (
    SCHEDULES,
    SGD,
    Adam,
    AdamW,
    MeanSquaredError,
    NonFiniteError,
    Optimiser,
    Parameter,
    SoftmaxCrossEntropy,
    Standardise,
    Training,
    TrainingDiverged,
    build_mlp,
    constant,
    cosine,
    evaluate,
    gradcheck_loss,
    model_from_state,
    one_cycle,
    predict,
    step_decay,
)
from numpy_nn.training import batches

RNG = np.random.default_rng


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("shape", "scale"), [((1, 2), 1), ((33, 10), 1), ((5, 3), 1e4)])
def test_cross_entropy_agrees_with_torch_up_to_huge_logits(smoothing, soft, shape, scale):
    rng = RNG(shape[0])
    z = (rng.standard_normal(shape) * scale).astype(np.float32)
    targets = rng.integers(0, shape[1], shape[0])
    if soft:
        targets = rng.dirichlet(np.ones(shape[1]), shape[0]).astype(np.float32)
    loss = SoftmaxCrossEntropy(smoothing)
    value = loss.forward(z, targets)
    tensor = torch.from_numpy(z.copy()).requires_grad_()
    expected = torch.nn.functional.cross_entropy(
        tensor, torch.from_numpy(targets), label_smoothing=smoothing
    )
    expected.backward()
    assert isinstance(value, float)
    assert value == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    grad = loss.backward()
    assert grad.dtype == np.float32
    np.testing.assert_allclose(grad, tensor.grad.numpy(), rtol=1e-5, atol=1e-6)
    if scale == 1:
        exact = targets.astype(np.float64) if soft else targets
        assert gradcheck_loss(loss, z, exact) < 1e-6


def test_cross_entropy_worked_example():
    """z = (log 3, 0), label 0: p = (3/4, 1/4), L = log(4/3), gradient p - (1, 0)."""
    loss = SoftmaxCrossEntropy()
    z = np.array([[np.log(3), 0]], np.float32)
    assert loss.forward(z, np.array([0])) == pytest.approx(np.log(4 / 3), rel=1e-6)
    np.testing.assert_allclose(loss.backward(), [[-0.25, 0.25]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1,), (7, 3), (2, 5, 4)])
def test_mean_squared_error_agrees_with_torch_and_finite_differences(shape):
    y, t = (RNG(s).standard_normal(shape).astype(np.float32) for s in (1, 2))
    loss = MeanSquaredError()
    tensor = torch.from_numpy(y.copy()).requires_grad_()
    expected = torch.nn.functional.mse_loss(tensor, torch.from_numpy(t))
    expected.backward()
    assert loss.forward(y, t) == pytest.approx(expected.item(), rel=1e-6)
    np.testing.assert_allclose(loss.backward(), tensor.grad.numpy(), rtol=1e-5, atol=1e-7)
    assert gradcheck_loss(loss, y, t.astype(np.float64)) < 1e-6


@pytest.mark.parametrize("total", [0.9985, 0.9995, 1.0005, 1.0015])
def test_soft_targets_sum_to_1_within_a_thousandth(total):
    z, targets = np.zeros((1, 2), np.float32), np.array([[0.5, total - 0.5]], np.float32)
    if abs(total - 1) < 1e-3:
        assert SoftmaxCrossEntropy()(z, targets) == pytest.approx(total * np.log(2))
        return
    with pytest.raises(ValueError, match="each row of sum 1"):
        SoftmaxCrossEntropy()(z, targets)


def test_a_wrong_loss_gradient_is_caught():
    class NotDividedByN(SoftmaxCrossEntropy):
        def backward(self):
            return super().backward() * self.p.shape[1]

    z = RNG(1).standard_normal((4, 3))
    assert gradcheck_loss(NotDividedByN(), z, np.array([0, 1, 2, 0])) > 0.1


@pytest.mark.parametrize(
    "logits, targets, message",
    [
        (np.zeros((2, 3)), np.array([0, 3]), r"SoftmaxCrossEntropy\(\): .*\[0, 3\), found 0 to 3"),
        (np.zeros((2, 3)), np.array([-1, 0]), r"found -1 to 0"),
        (np.zeros((2, 3)), np.array([0]), r"integer labels of shape \(2,\), found int64 \(1,\)"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), r"found float64 \(2,\)"),
        (np.zeros((0, 3)), np.array([], int), r"at least one output.*found \(0, 3\)"),
        (np.zeros((2, 3)), np.zeros((2, 4)), r"soft targets \(2, 3\).*found \(2, 4\)"),
    ],
)
def test_cross_entropy_refuses_what_makes_no_sense(logits, targets, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxCrossEntropy().forward(logits, targets)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), MeanSquaredError()])
def test_a_loss_can_be_called_and_refuses_lists(loss):
    outputs = RNG(1).standard_normal((2, 3))
    targets = np.eye(3)[:2]
    assert loss(outputs, targets) == loss.forward(outputs, targets)
    with pytest.raises(ValueError, match=r"\(\): expected outputs in a NumPy array, found list"):
        loss(outputs.tolist(), targets)
    with pytest.raises(ValueError, match=r"\(\): expected targets in a NumPy array, found list"):
        loss(outputs, targets.tolist())


def test_mean_squared_error_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match=r"targets \(2, 1\) .*found \(2,\)"):
        MeanSquaredError().forward(np.zeros((2, 1)), np.zeros(2))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_of_outputs_that_are_not_finite_is_not_finite(bad):
    """That is what the training loop looks at."""
    outputs = np.array([[0, bad]])
    with np.errstate(invalid="ignore"):
        assert not np.isfinite(SoftmaxCrossEntropy()(outputs, np.array([0])))
        assert not np.isfinite(MeanSquaredError()(outputs, np.zeros((1, 2))))


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (lambda p: SGD(p, 0.1), lambda g: torch.optim.SGD(g, 0.1)),
        (
            lambda p: SGD(p, 0.1, 0.9, weight_decay=0.01),
            lambda g: torch.optim.SGD(g, 0.1, momentum=0.9),
        ),
        (
            lambda p: SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.01),
            lambda g: torch.optim.SGD(g, 0.1, momentum=0.9, nesterov=True),
        ),
        (lambda p: AdamW(p, 0.01), lambda g: torch.optim.Adam(g, 0.01)),
        (lambda p: Adam(p, 0.01, weight_decay=0.01), lambda g: torch.optim.Adam(g, 0.01)),
        (lambda p: AdamW(p, 0.01, weight_decay=0.01), lambda g: torch.optim.AdamW(g, 0.01)),
    ],
)
def test_optimisers_agree_with_torch(ours, theirs):
    """Ten steps with a learning rate that changes; biases are not decayed."""
    start = [RNG(1).standard_normal((4, 3)), RNG(2).standard_normal(3)]
    mine = [Parameter(a.astype(np.float32), decay=a.ndim > 1) for a in start]
    other = [torch.nn.Parameter(torch.from_numpy(p.value.copy())) for p in mine]
    optimiser = ours(mine)
    decay = optimiser.weight_decay
    groups = [
        {"params": other[:1], "weight_decay": decay},
        {"params": other[1:], "weight_decay": 0},
    ]
    reference = theirs(groups)
    for step in range(10):
        optimiser.lr = 0.1 / (step + 1)
        for group in reference.param_groups:
            group["lr"] = optimiser.lr
        for index, (a, b) in enumerate(zip(mine, other, strict=True)):
            grad = RNG([step, index]).standard_normal(a.value.shape).astype(np.float32)
            a.grad[...], b.grad = grad, torch.from_numpy(grad.copy())
        optimiser.step()
        reference.step()
        assert all(p.value.dtype == np.float32 for p in mine)
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.value, b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_momentum_worked_example():
    """g = 1 always, m = 0.5, lr = 1: v = 1, 1.5, 1.75, so p = -1, -2.5, -4.25."""
    p = Parameter(np.zeros(1, np.float32))
    optimiser = SGD([p], 1.0, momentum=0.5)
    seen = []
    for _ in range(3):
        p.grad[...] = 1
        optimiser.step()
        seen.append(float(p.value[0]))
    assert seen == [-1, -2.5, -4.25]


def sgd_formula(p, g, state, step):
    v = state["v"] = state.get("v", 0 * p) * 0.9 + (g + p * 0.01)
    return p - v * 0.1


def nesterov_formula(p, g, state, step):
    g = g + p * 0.01
    v = state["v"] = state.get("v", 0 * p) * 0.9 + g
    return p - (g + v * 0.9) * 0.1


def adamw_formula(p, g, state, step, decay=0.01):
    m = state["m"] = state.get("m", 0 * p) * 0.9 + g * (1 - 0.9)
    v = state["v"] = state.get("v", 0 * p) * 0.99 + (g * g) * (1 - 0.99)
    scale = np.sqrt(v * (1 / (1 - 0.99**step))) + 1e-8
    return p * (1 - 0.1 * decay) - m / scale * (0.1 / (1 - 0.9**step))


def adam_formula(p, g, state, step):
    return adamw_formula(p, g + p * 0.01, state, step, decay=0.0)


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda p: SGD(p, 0.1, 0.9, weight_decay=0.01), sgd_formula),
        (lambda p: SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.01), nesterov_formula),
        (lambda p: AdamW(p, 0.1, (0.9, 0.99), weight_decay=0.01), adamw_formula),
        (lambda p: Adam(p, 0.1, (0.9, 0.99), weight_decay=0.01), adam_formula),
    ],
)
def test_a_step_is_its_formula_to_the_last_bit(make, formula):
    parameter = Parameter(RNG(0).standard_normal((5, 4)).astype(np.float32))
    optimiser, expected, state = make([parameter]), parameter.value.copy(), {}
    for step in range(1, 4):
        grad = RNG(step).standard_normal((5, 4)).astype(np.float32)
        parameter.grad[...] = grad
        optimiser.step()
        expected = formula(expected, grad, state, step)
        assert expected.dtype == np.float32
        np.testing.assert_array_equal(parameter.value, expected)


@pytest.mark.parametrize("bad", [{"lr": 0}, {"lr": 1, "momentum": 1}, {"lr": 1, "nesterov": True}])
def test_optimisers_refuse_settings_that_make_no_sense(bad):
    with pytest.raises(ValueError, match="expected"):
        SGD([], **bad)


def test_an_optimiser_of_no_kind_has_no_step():
    with pytest.raises(NotImplementedError):
        Optimiser([], 0.1).step()


def test_the_lower_ends_of_the_settings_are_allowed():
    """Without memory Adam's step is lr g / (|g| + eps)."""
    p = Parameter(np.array([3, -4], np.float32))
    optimiser = Adam([p], 0.1, (0, 0), weight_decay=0)
    p.grad[...] = 5, -6
    optimiser.step()
    np.testing.assert_allclose(p.value, [2.9, -3.9], rtol=1e-6)
    assert SGD([p], 0.1, momentum=0, weight_decay=0).momentum == 0


F64 = np.float64


@pytest.mark.parametrize(
    "make",
    [
        lambda p, a: SGD(p, a(0.1), a(0.9), weight_decay=a(0.1)),
        lambda p, a: SGD(p, a(0.1), a(0.9), True, a(0.1)),
        lambda p, a: AdamW(p, a(0.1), (a(0.9), a(0.99)), a(0.1), a(0.1)),
        lambda p, a: Adam(p, a(0.1), weight_decay=a(0.1)),
    ],
)
def test_optimisers_stay_float32_and_compute_in_it_whatever_scalars_come_along(make):
    def result(cast):
        p = Parameter(RNG(1).standard_normal((50, 30)).astype(np.float32))
        optimiser = make([p], cast)
        for step in range(3):
            optimiser.lr = cast(0.1 / (step + 1))
            p.grad[...] = RNG(step).standard_normal((50, 30))
            optimiser.step()
        assert p.value.dtype == p.grad.dtype == np.float32
        assert all(array.dtype == np.float32 for array in optimiser.state.values())
        return p.value

    np.testing.assert_array_equal(result(F64), result(float))


@pytest.mark.parametrize("soft", [False, True])
def test_losses_stay_float32_whatever_scalars_come_along(soft):
    z = RNG(1).standard_normal((4, 3)).astype(np.float32)
    targets = np.full((4, 3), 1 / 3, np.float32) if soft else np.array([0, 1, 2, 0])
    loss = SoftmaxCrossEntropy(F64(0.1))
    assert type(loss.forward(z, targets)) is float
    assert loss.backward().dtype == np.float32
    squared = MeanSquaredError()
    assert type(squared.forward(z, z + 1)) is float and squared.backward().dtype == np.float32


def test_schedules():
    assert constant(5, 10) == 1
    assert [step_decay(s, 9) for s in (0, 3, 8)] == pytest.approx([1, 0.1, 0.01])
    assert [cosine(s, 4) for s in range(5)] == pytest.approx([1, 0.8536, 0.5, 0.1464, 0], abs=1e-4)
    assert [one_cycle(s, 10) for s in (0, 1, 2)] == pytest.approx([0.5, 1, 1])
    rising = [one_cycle(s, 10, warmup=0.4) for s in range(10)]
    assert rising[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    fall = [(1 + np.cos(np.pi * s / 6)) / 2 for s in range(6)]
    assert rising[4:] == pytest.approx(fall)
    for schedule in SCHEDULES.values():
        for steps in (1, 2, 7, 100):
            assert all(0 <= schedule(step, steps) <= 1 for step in range(steps))
            assert max(schedule(step, steps) for step in range(steps)) == pytest.approx(1)


def test_an_epoch_meets_every_example_once_in_another_order_each_time():
    rng = RNG(1)
    first, second = (np.concatenate(list(batches(23, 5, rng))) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(23))
    assert not np.array_equal(first, second)
    assert [len(b) for b in batches(23, 5, rng)] == [5, 5, 5, 5, 3]


def rings(n=240, seed=0):
    """Three classes that no linear classifier separates: points by their distance from 0."""
    x = RNG(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, np.digitize(np.hypot(*x.T), [0.5, 0.8])


def make_training(lr=0.1, epochs=60, x=None, y=None, dropout=0.1, optimiser=SGD):
    if x is None:
        x, y = rings()
    dropout_rng = RNG(2)
    model = build_mlp([2, 32, 16, 3], dropout, RNG(1), dropout_rng, Standardise().fit(x))
    steps = optimiser(model.parameters(), lr)
    return Training(
        *(model, SoftmaxCrossEntropy(), steps, one_cycle, x, y),
        batch_size=16,
        epochs=epochs,
        rng=RNG(3),
        generators=[dropout_rng],
    )


def run(training):
    entries = []
    while not training.finished:
        entries.append(training.run_epoch())
    return entries


def test_training_learns_what_no_linear_classifier_can():
    training = make_training(lr=0.3, dropout=0.0)
    entries = run(training)
    x, y = rings(400, seed=5)
    nats, accuracy = evaluate(predict(training.model, x), y)
    assert accuracy > 0.9 and nats < 0.3
    assert entries[-1]["train_loss"] < entries[0]["train_loss"] / 2
    assert entries[-1]["step"] == 60 * 15 and entries[-1]["epoch"] == 60
    again = model_from_state(training.model.state_dict())
    np.testing.assert_array_equal(predict(again, x), predict(training.model, x))


@pytest.mark.parametrize("optimiser", [lambda p, lr: SGD(p, lr, 0.9), AdamW])
def test_resumed_equals_uninterrupted_bit_by_bit(optimiser):
    """Stopped in the middle of the fourth epoch: it goes on from the state after the third."""
    whole = make_training(lr=0.01, epochs=7, optimiser=optimiser)
    expected = run(whole)
    stopped = make_training(lr=0.01, epochs=7, optimiser=optimiser)
    for _ in range(3):
        stopped.run_epoch()
    arrays, meta = stopped.state()
    meta = json.loads(json.dumps(meta))
    step = stopped.optimiser.step

    def power_cut():
        if stopped.step == 3 * 15 + 7:
            raise KeyboardInterrupt
        step()

    stopped.optimiser.step = power_cut
    with pytest.raises(KeyboardInterrupt):
        stopped.run_epoch()
    resumed = make_training(lr=0.01, epochs=7, optimiser=optimiser)
    resumed.load_state(arrays, meta)
    assert run(resumed) == expected[3:]
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(resumed.model.state_dict()[name], array, name)


@pytest.mark.parametrize("lr", [1e6, 1e30])
def test_a_diverging_run_stops_with_step_learning_rate_and_batch(lr):
    expected = r"step \d+ \(epoch \d+\), lr .*batch of 16 begin"
    with pytest.raises(TrainingDiverged, match=expected):
        run(make_training(lr=lr))


def test_input_that_is_not_finite_stops_the_first_step():
    x, y = rings()
    training = make_training(x=x, y=y)
    x[:] = np.nan
    with pytest.raises(TrainingDiverged, match=r"step 0 .*finite loss, found nan: the input"):
        run(training)


def test_each_step_has_the_rate_of_its_place_in_the_schedule():
    training = make_training(lr=0.2, epochs=2)
    step, rates = training.optimiser.step, []
    training.optimiser.step = lambda: (rates.append(training.optimiser.lr), step())
    run(training)
    assert len(rates) == 2 * 15
    assert rates == pytest.approx([0.2 * one_cycle(k, 30) for k in range(30)])


def test_an_epoch_s_means_weigh_every_example_alike():
    """A net that always says class 0 and learns next to nothing; the last batch is smaller."""
    x, y = rings(50)
    training = make_training(lr=1e-12, epochs=1, x=x, y=y)
    for parameter in training.model.parameters():
        parameter.value[...] = 0
    training.model.parameters()[-1].value[0] = 2
    nats = np.log(np.exp(2) + 2) - 2 * (y == 0)
    entry = training.run_epoch()
    assert 50 % 16 and len(set(np.bincount(y))) > 1
    assert entry["train_loss"] == pytest.approx(nats.mean(), rel=1e-6)
    assert entry["train_accuracy"] == (y == 0).mean()


def test_seconds_are_those_of_the_epochs(monkeypatch):
    clock = iter([10.0, 12.5, 100.0, 101.0])
    monkeypatch.setattr("numpy_nn.training.time.perf_counter", lambda: next(clock))
    training = make_training(epochs=2)
    run(training)
    assert training.seconds == 3.5


def test_an_epoch_s_accuracy_is_the_share_of_right_answers():
    training = make_training(lr=1e-12, epochs=1, dropout=0.0)
    entry = training.run_epoch()
    x, y = rings()
    nats, accuracy = evaluate(predict(training.model, x), y)
    assert entry["train_accuracy"] == accuracy and 0.1 < accuracy < 0.9
    assert entry["train_loss"] == pytest.approx(nats, rel=1e-5)


def test_a_training_that_has_finished_refuses_another_epoch():
    training = make_training(epochs=1)
    training.run_epoch()
    before = training.model.state_dict()
    with pytest.raises(ValueError, match="an epoch of 1 that is left, found 1 made"):
        training.run_epoch()
    for name, array in training.model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("training", [True, False])
def test_a_prediction_leaves_the_mode_as_it_was(training):
    model = build_mlp([2, 4, 3], 0.5, RNG(1), RNG(2)).train(training)
    model.layers[1].train(not training)
    predict(model, np.zeros((3, 2), np.float32))
    with pytest.raises(NonFiniteError):
        predict(model, np.full((3, 2), np.nan, np.float32))
    modes = [module.training for module in model.modules()]
    assert modes == [training, not training, *[training] * 4]


def test_probabilities_that_are_no_numbers_are_not_scored():
    with pytest.raises(NonFiniteError, match=r"evaluate: expected finite p \(2, 2\)"):
        evaluate(np.array([[0.5, 0.5], [np.nan, 1]]), np.array([0, 1]))


def test_no_examples_are_refused():
    model = build_mlp([2, 3], 0, RNG(1), RNG(2))
    with pytest.raises(ValueError, match=r"predict: expected at least one example, found \(0, 2\)"):
        predict(model, np.zeros((0, 2), np.float32))
    with pytest.raises(ValueError, match=r"Standardise.*N >= 1, found \(0, 2\)"):
        make_training(x=np.zeros((0, 2), np.float32), y=np.zeros(0, int))


def test_labels_out_of_range_are_no_divergence():
    x, y = rings()
    with pytest.raises(ValueError, match=r"labels in \[0, 3\)"):
        run(make_training(x=x, y=y + 1))
    with pytest.raises(ValueError, match=r"labels of shape \(240,\), found int64 \(239,\)"):
        make_training(x=x, y=y[1:])
    run(make_training(epochs=1, x=x, y=y.tolist()))


def test_everything_is_float32_after_training():
    training = make_training(epochs=1)
    training.run_epoch()
    arrays, _ = training.state()
    wrong = {n: a.dtype for n, a in arrays.items() if a.dtype != np.float32}
    assert set(wrong) == {"optimiser.steps", "model.architecture"}


@pytest.mark.parametrize("last", [0, 2])
def test_a_divergence_in_the_last_step_of_an_epoch_is_noticed_without_validation(last):
    """No later step would see it: the model would be one of NaN."""
    training = make_training(epochs=3)
    step = training.optimiser.step

    def broken():
        step()
        if training.step == 15 * (last + 1) - 1:
            training.optimiser.flat.value[60] = np.nan

    training.optimiser.step = broken
    for _ in range(last):
        training.run_epoch()
    where = rf"step {15 * last + 14} \(epoch {last}\), lr .*batch of 16 .*layers.1.weight: expected"
    with pytest.raises(TrainingDiverged, match=where):
        training.run_epoch()
    assert not training.finished


def test_a_model_that_predicts_no_numbers_says_where_it_broke():
    model = build_mlp([2, 4, 3], 0, RNG(1), RNG(2))
    x = np.ones((5, 2), np.float32)
    model.layers[-1].bias.value[1] = np.inf
    message = r"predict: examples from 0 on: .*logits \(3, 3\), found NaN .*finite: layers.3.bias"
    with pytest.raises(NonFiniteError, match=message):
        predict(model, x, batch_size=3)
    model.layers[-1].bias.value[1] = 0
    model.layers[-1].weight.value[:] = 3e38
    with pytest.raises(NonFiniteError, match="finite: none"):
        predict(model, 1e3 * x)
