"""Clipping, weight averages, early stopping, mixup; and resuming with all of them."""

import json

import numpy as np
import pytest
import torch

from numpy_nn import (
    SGD,
    BatchNorm,
    EarlyStopping,
    Linear,
    Mixup,
    Parameter,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Standardise,
    Training,
    TrainingDiverged,
    WeightAverage,
    build_mlp,
    evaluate,
    one_cycle,
    predict,
)
from numpy_nn.flat import FlatParameters
from numpy_nn.optimisers import clip_norm

RNG = np.random.default_rng


def test_flat_parameters_are_the_parameters():
    parameters = [
        Parameter(RNG(i).standard_normal(shape).astype(np.float32), decay=len(shape) > 1)
        for i, shape in enumerate([(3, 4), (4,), (4, 2), (2,)])
    ]
    before = [parameter.value.copy() for parameter in parameters]
    flat = FlatParameters(parameters, state=2)
    rows = [flat.value, flat.grad, *flat.state]
    assert len(rows) == 4 and all(
        row.shape == (26,) and row.base is flat.value.base for row in rows
    )
    assert not any(row.any() for row in flat.state)
    for parameter, value in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.value, value)
        assert np.shares_memory(parameter.value, flat.value)
        assert np.shares_memory(parameter.grad, flat.grad)
    assert (len(flat.value), flat.decayed) == (26, 20)
    with pytest.raises(ValueError, match="expected one dtype"):
        FlatParameters([Parameter(np.zeros(2)), Parameter(np.zeros(2, np.float32))])
    shared = Linear(2, 2, RNG(1))
    with pytest.raises(ValueError, match="expected each once"):
        SGD(Sequential(Residual(shared), shared).parameters(), 0.1)


@pytest.mark.parametrize("limit", [0.5, 3.0, 1e9])
def test_clipping_agrees_with_torch(limit):
    grad = RNG(1).standard_normal(1000).astype(np.float32)
    other = torch.nn.Parameter(torch.zeros(1000))
    other.grad = torch.from_numpy(grad.copy())
    expected = torch.nn.utils.clip_grad_norm_([other], limit)
    norm = clip_norm(grad, limit)
    assert norm == pytest.approx(expected.item(), rel=1e-5)
    assert grad.dtype == np.float32
    np.testing.assert_allclose(grad, other.grad.numpy(), rtol=1e-5)


def test_clipping_of_huge_and_of_broken_gradients():
    grad = np.full(4, 1e30, np.float32)
    assert clip_norm(grad, 1.0) == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(grad, 0.5, rtol=1e-5)
    grad[:2] = np.nan, 3
    assert np.isnan(clip_norm(grad, 1.0)) and grad[1] == 3
    assert clip_norm(np.array([1, np.inf], np.float32), 1.0) == np.inf
    with pytest.raises(ValueError, match="above 0, found 0"):
        clip_norm(grad, 0)


def test_the_average_follows_its_formula_buffers_included_and_swaps_back_exactly():
    norm = BatchNorm(3)
    model = Sequential(norm)
    flat = FlatParameters(model.parameters())
    average = WeightAverage(model, flat, 0.9)
    expected = {"gain": np.ones(3), "running_mean": np.zeros(3)}
    for t in range(1, 40):
        norm.gain.value += np.float32(0.1)
        norm(RNG(t).standard_normal((5, 3)).astype(np.float32))
        average.update()
        d = min(0.9, (1 + t) / (10 + t))
        for name, live in (("gain", norm.gain.value), ("running_mean", norm.running_mean)):
            expected[name] = d * expected[name] + (1 - d) * live
    last = model.state_dict()
    average.swap()
    np.testing.assert_allclose(norm.gain.value, expected["gain"], rtol=1e-5)
    np.testing.assert_allclose(norm.running_mean, expected["running_mean"], rtol=1e-4)
    average.swap()
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, last[name])
    with pytest.raises(ValueError, match="found 1"):
        WeightAverage(model, flat, 1)


def test_an_average_of_decay_0_is_the_model_itself():
    norm = BatchNorm(2)
    average = WeightAverage(norm, FlatParameters(norm.parameters()), 0)
    norm.gain.value += 3
    average.update()
    np.testing.assert_array_equal(average.average["parameters"], [4, 4, 0, 0])


def test_early_stopping_waits_and_restores_the_best():
    model = BatchNorm(1)
    stopper = EarlyStopping(patience=2, monitor="val_accuracy")
    stopped_at = []
    for epoch, accuracy in enumerate([0.5, 0.7, 0.7, 0.2], 1):
        model.gain.value[:] = epoch
        stopper.update({"epoch": epoch, "val_accuracy": accuracy}, model)
        if stopper.stopped:
            stopped_at.append(epoch)
    assert (stopped_at, stopper.best_epoch, stopper.best_score) == ([4], 2, 0.7)
    model.load_state_dict(stopper.best_weights)
    assert model.gain.value[0] == 2
    with pytest.raises(ValueError, match="found 0 and 'loss'"):
        EarlyStopping(0, monitor="loss")


def test_mixup_mixes_inputs_and_labels_in_the_same_proportion():
    x, y = np.arange(12, dtype=np.uint8).reshape(4, 3) * 20, np.array([0, 1, 2, 1])
    mixed, targets = Mixup(0.4, 3)(x, y, RNG(1))
    assert mixed.dtype == targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    rng = RNG(1)
    share, partner = rng.beta(0.4, 0.4), rng.permutation(4)
    np.testing.assert_allclose(mixed, share * x + (1 - share) * x[partner], rtol=1e-5)
    np.testing.assert_allclose(targets, share * np.eye(3)[y] + (1 - share) * np.eye(3)[y[partner]])
    with pytest.raises(ValueError, match="Mixup: expected alpha > 0"):
        Mixup(0, 3)
    with pytest.raises(ValueError, match=r"labels in \[0, 2\), found 0 to 2"):
        Mixup(1, 2)(x, y, RNG(1))


@pytest.mark.parametrize("own", [True, False])
def test_mixing_draws_from_its_own_generator_if_there_is_one(own):
    drawn_from = []

    def mix(x, y, rng):
        drawn_from.append(rng)
        return x, y

    training = make_training("none", epochs=1, mix=mix, augment_rng=RNG(8) if own else None)
    training.run_epoch()
    assert len(drawn_from) == 5 and set(drawn_from) == {training.augment_rng}
    assert (training.augment_rng is training.rng) is not own
    assert len(training.state()[1]["generators"]) == 2 + own


def rings(n=240, seed=0):
    x = RNG(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, np.digitize(np.hypot(*x.T), [0.5, 0.8])


def options(name):
    """Fresh keyword arguments of Training: a stopper and a generator have state."""
    single = {
        "clip": {"clip_norm": 0.5},
        "average": {"ema_decay": 0.95},
        "validation": {"validation": rings(100, 5)},
        "stopping": {"validation": rings(100, 5), "early_stopping": EarlyStopping(2)},
        "average and stopping": {
            "ema_decay": 0.95,
            "validation": rings(100, 5),
            "early_stopping": EarlyStopping(2),
        },
        "mixup": {"mix": Mixup(0.2, 3), "augment_rng": RNG(8)},
    }
    everything = {key: value for chosen in single.values() for key, value in chosen.items()}
    return {**single, "none": {}, "everything": everything}[name]


def make_training(name, epochs=9, lr=0.3, **more):
    x, y = rings()
    dropout_rng = RNG(2)
    model = build_mlp(*([2, 16, 3], 0.1, RNG(1), dropout_rng, Standardise().fit(x)), norm="batch")
    parts = model, SoftmaxCrossEntropy(0.1), SGD(model.parameters(), lr, 0.9, True, 1e-4)
    return Training(
        *(*parts, one_cycle, x, y),
        batch_size=50,
        epochs=epochs,
        rng=RNG(3),
        generators=[dropout_rng],
        **options(name),
        **more,
    )


def run(training):
    entries = []
    while not training.finished:
        entries.append(training.run_epoch())
    return entries


OPTIONS = ["clip", "average", "validation", "stopping", "mixup", "everything"]


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("after", [1, 4, "end"])
def test_resumed_equals_uninterrupted_bit_by_bit(name, after):
    whole = make_training(name)
    expected = run(whole)
    epochs = len(expected) if after == "end" else min(after, len(expected))
    stopped = make_training(name)
    for _ in range(epochs):
        stopped.run_epoch()
    arrays, meta = stopped.state()
    resumed = make_training(name)
    resumed.load_state(arrays, json.loads(json.dumps(meta)))
    arrays_again, meta_again = resumed.state()
    assert meta_again == meta and arrays_again.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(arrays_again[key], array, key)
    assert run(resumed) == expected[epochs:]
    for key, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(resumed.model.state_dict()[key], array, key)


def test_every_option_changes_the_training_and_keeps_float32():
    seen = {}
    for name in ["none", *OPTIONS[:-1]]:
        training = make_training(name)
        run(training)
        arrays, _ = training.state()
        integers = {"optimiser.steps", "model.architecture", "average.updates"}
        integers.add("early_stopping.architecture")
        assert {k for k, a in arrays.items() if a.dtype != np.float32} <= integers
        seen[name] = training.model.state_dict()["layers.1.weight"]
    same = [n for n in OPTIONS[:-1] if np.array_equal(seen[n], seen["none"])]
    assert set(same) <= {"validation", "stopping"} and "validation" in same


def test_the_average_of_a_training_is_that_of_the_weights_after_each_step():
    training = make_training("average", epochs=2)
    weight = training.optimiser.flat.value
    expected, step, t = weight.astype(np.float64), training.optimiser.step, 0

    def followed():
        nonlocal expected, t
        step()
        t += 1
        d = min(0.95, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * weight

    training.optimiser.step = followed
    run(training)
    assert t == 10
    np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)


def test_training_ends_with_the_weights_to_use():
    averaged = make_training("average")
    run(averaged)
    last = averaged.model.state_dict()
    with averaged.evaluation_weights():  # nothing left to swap
        np.testing.assert_array_equal(
            averaged.model.state_dict()["layers.1.weight"], last["layers.1.weight"]
        )
    for name in ("stopping", "average and stopping"):
        stopping = make_training(name, epochs=60, lr=1.0)
        entries = run(stopping)
        best = min(entry["val_loss"] for entry in entries)
        x, y = rings(100, 5)
        assert evaluate(predict(stopping.model, x), y)[0] == best
        assert len(entries) == stopping.early_stopping.best_epoch + 2 < 60


def test_validation_scores_the_averaged_weights():
    training = make_training("everything")
    entry = training.run_epoch()
    x, y = rings(100, 5)
    with training.evaluation_weights():
        assert evaluate(predict(training.model, x), y) == (entry["val_loss"], entry["val_accuracy"])
    assert evaluate(predict(training.model, x), y)[0] != entry["val_loss"]
    assert 0 < entry["clipped"] <= 1


def test_early_stopping_needs_validation_and_broken_gradients_stop_the_run():
    with pytest.raises(ValueError, match="expected validation data"):
        x, y = rings()
        model = build_mlp([2, 3], 0, RNG(1), RNG(2))
        parts = model, SoftmaxCrossEntropy(), SGD(model.parameters(), 1), one_cycle
        Training(*parts, x, y, batch_size=5, epochs=1, rng=RNG(1), early_stopping=EarlyStopping(1))
    for wrong, message in (
        ({"validation": (x, y[1:])}, r"validation: .* shape \(240,\), found int64 \(239,\)"),
        ({"validation": (x[:0], y[:0])}, "validation: expected at least one example, found none"),
    ):
        with pytest.raises(ValueError, match=message):
            Training(*parts, x, y, batch_size=5, epochs=1, rng=RNG(1), **wrong)
    training = make_training("clip")
    backward = training.model.backward

    def broken(grad):
        backward(grad)
        training.optimiser.flat.grad[3] = np.inf

    training.model.backward = broken
    with pytest.raises(TrainingDiverged, match=r"step 0 .*lr .*batch of 50 .*finite gradients"):
        training.run_epoch()
