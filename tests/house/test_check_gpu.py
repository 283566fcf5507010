"""make check-gpu, where there is no GPU: the CPU stands on both sides."""

import check_gpu
import pytest
import torch
from check_gpu import CPU, STEPS, check

DNA = next(task for task in check_gpu.tasks() if task.name == "DNA")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for name, steps in {"FIRST": 3, "LAST": 3, "RESUMED": 2}.items():
        monkeypatch.setattr(check_gpu, name, steps)


def test_a_device_agrees_with_itself(capsys):
    assert check(DNA, CPU, torch.float32, steps=6) == []
    assert "resumed, CPU to GPU      0.00e+00, at most 0.001" in capsys.readouterr().out


def test_a_device_that_computes_something_else_is_told(monkeypatch):
    run, built = check_gpu.Trained.run, []

    def crooked(self, steps):
        losses = run(self, steps)
        if self not in built:
            built.append(self)
        return [loss * (1 + 0.01 * built.index(self)) for loss in losses]

    monkeypatch.setattr(check_gpu.Trained, "run", crooked)
    assert "DNA: float32, first steps" in check(DNA, CPU, torch.float32, steps=6)


def test_a_loss_that_is_no_number_is_out_of_every_tolerance():
    assert not check_gpu.difference([1.0], [float("nan")]) <= check_gpu.FLOAT32


@pytest.mark.skipif(torch.cuda.is_available(), reason="make check-gpu is for this machine")
def test_without_a_gpu_it_is_skipped(capsys):
    assert check_gpu.main() == 0
    assert "skipped" in capsys.readouterr().out
    assert STEPS >= 200
