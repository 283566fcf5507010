"""torch.compile only where it is wanted and possible; the choice is told."""

import torch

from pipeline import compilation

CPU = torch.device("cpu")


def test_the_choice_and_why(monkeypatch, capsys):
    model = torch.nn.Linear(2, 2)
    monkeypatch.setattr(torch, "compile", lambda module: ("compiled", module))
    assert compilation.compiled(model, False, CPU) is model
    assert "compile: no, as the settings say" in capsys.readouterr().out
    monkeypatch.setattr(compilation.shutil, "which", lambda name: name == "clang++")
    assert compilation.compiled(model, True, CPU) == ("compiled", model)
    assert "compile: yes, by clang++" in capsys.readouterr().out
    monkeypatch.setattr(compilation.shutil, "which", lambda name: None)
    assert compilation.compiled(model, True, CPU) is model
    assert "compile: no, since there is no compiler for it" in capsys.readouterr().out
