"""bfloat16 is for processors that multiply it; others take float32 and say why."""

import platform
import re
from pathlib import Path

import pytest
import torch

from pipeline import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16"])
def test_units_for_it_are_used_and_named(monkeypatch, capsys, name):
    monkeypatch.setattr(precision, "_capabilities", lambda: {"avx2": True, name: True})
    assert precision.choose_dtype("bfloat16", CPU) is torch.bfloat16
    assert f"precision: bfloat16, since the device has units for it ({name})" in (
        capsys.readouterr().out
    )


def test_without_units_float32_is_taken_instead(monkeypatch, capsys):
    monkeypatch.setattr(precision, "_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    assert precision.choose_dtype("bfloat16", CPU) is torch.float32
    assert "float32 instead of bfloat16, since the device has no units" in (capsys.readouterr().out)


def test_float32_where_it_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(precision, "_capabilities", lambda: {"avx512_bf16": True})
    assert precision.choose_dtype("float32", CPU) is torch.float32
    assert "float32, as the settings say" in capsys.readouterr().out


def test_each_kind_of_16_bits_needs_its_own_units(monkeypatch):
    monkeypatch.setattr(precision, "_capabilities", lambda: {"amx_fp16": True})
    assert precision.choose_dtype("float16", CPU) is torch.float16
    assert precision.choose_dtype("bfloat16", CPU) is torch.float32


def test_an_older_torch_is_asked_in_its_own_way(monkeypatch, capsys):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert precision.choose_dtype("bfloat16", CPU) is torch.bfloat16
    assert "(avx512_bf16)" in capsys.readouterr().out


def test_this_processor_is_known_as_the_system_knows_it():
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        pytest.skip("no flags to compare with")
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE).group(1).split()
    expected = bool({"avx512_bf16", "amx_bf16"} & set(flags))
    assert (precision.choose_dtype("bfloat16", CPU) is torch.bfloat16) == expected
