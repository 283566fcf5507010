"""Nats of windows: only what counts is summed, whatever the batches."""

import pytest
import torch
from torch.nn.functional import log_softmax

from torch_nn.gpt import GPT
from torch_nn.perplexity import window_nats


def test_each_window_s_last_targets_count_however_windows_are_batched():
    torch.manual_seed(0)
    model = GPT(7, 6, 1, 2, 8).eval()
    windows = [
        (torch.randint(7, (length,)), torch.randint(7, (length,)), counted)
        for length, counted in [(6, 6), (6, 2), (6, 1), (3, 3), (3, 1), (6, 4)]
    ]
    expected = []
    with torch.no_grad():
        for inputs, targets, counted in windows:
            each = -log_softmax(model(inputs[None])[0], dim=-1)[range(len(targets)), targets]
            expected.append(each[-counted:].double().sum())
    for size in (1, 2, 32):
        nats, counts = window_nats(model, iter(windows), size)
        torch.testing.assert_close(nats, torch.stack(expected))
        assert counts.tolist() == [6, 2, 1, 3, 1, 4] and counts.dtype == torch.int64


def test_batches_are_as_long_as_is_asked_for_and_no_longer():
    model, seen = GPT(5, 4, 1, 1, 4), []
    model.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    windows = [([1, 2], [2, 3], 2)] * 70
    window_nats(model, windows)
    window_nats(model, windows, 50)
    assert seen == [32, 32, 6, 50, 20]


def test_nats_are_summed_in_float64():
    """Logits of 0: each target costs ln 7, of which float32 is the value that is summed."""
    model = GPT(7, 300, 1, 1, 4)
    for parameter in model.parameters():
        parameter.data.zero_()
    nats, _ = window_nats(model, [([0] * 300, [1] * 300, 300)])
    one = -log_softmax(torch.zeros(7), dim=0)[0].double().item()
    assert nats.item() == pytest.approx(300 * one, rel=1e-12)


def test_no_windows_have_no_nats():
    nats, counts = window_nats(GPT(5, 4, 1, 1, 4), [])
    assert (len(nats), len(counts), nats.dtype, counts.dtype) == (0, 0, torch.float64, torch.int64)
