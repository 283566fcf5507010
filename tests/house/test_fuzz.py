"""The fuzzer itself, and a small number of its inputs for every reader; `make fuzz` runs more."""

import random
import resource
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fuzz"))

import fuzz as fuzzer
from mutate import mutated
from readers import Reader, readers

from pipeline.errors import InputError

NAMES = [
    "idx", "pickle", "cifar_batch", "tar", "gue_csv", "own_sequences", "statlog_rda", "text",
    "tokenizer", "config", "table", "spec", "images_npz", "tokens_npy", "meta_json", "history_json",
    "checkpoint",
]  # fmt: skip


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    return {reader.name: reader for reader in readers(tmp_path_factory.mktemp("seeds"))}


@pytest.fixture(autouse=True)
def limits():
    """The time limit's signal and the memory limit, put back afterwards."""
    before, kept = signal.getsignal(signal.SIGPROF), resource.getrlimit(resource.RLIMIT_AS)
    signal.signal(signal.SIGPROF, fuzzer._alarm)
    yield
    signal.signal(signal.SIGPROF, before)
    resource.setrlimit(resource.RLIMIT_AS, kept)


def test_every_reader_is_fuzzed(chosen):
    assert sorted(chosen) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_nothing_but_the_documented_error(chosen, name, tmp_path):
    fuzzer.limit_memory(fuzzer.BYTES)
    number = 30 if name in ("config", "table", "statlog_rda") else 100
    found = fuzzer.fuzz(chosen[name], 0, 0, number, tmp_path, tmp_path / "kept")
    assert found["kinds"] == []
    assert found["accepted"] + found["refused"] == number


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_seed_is_accepted(chosen, name, tmp_path):
    """Else every mutation would fail at the first check and the rest were never reached."""
    reader = chosen[name]
    taken = 0
    for number, data in enumerate(reader.seeds):
        folder = tmp_path / str(number)
        folder.mkdir()
        taken += fuzzer.accepts(reader, data, folder)
    assert taken >= 1


def test_the_same_seed_gives_the_same_inputs(chosen):
    seeds = chosen["idx"].seeds
    first, again, other = (
        [mutated(seeds, random.Random(f"{seed}/{i}")) for i in range(50)] for seed in (1, 1, 2)
    )
    assert first == again != other


def wrong_error(data, folder):
    raise KeyError("not documented")


def hidden(data, folder):
    try:
        bytearray(1 << 50)
    except MemoryError:
        raise InputError("refused") from None


def endless(data, folder):
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


@pytest.mark.parametrize(
    ("read", "says"),
    [(wrong_error, "KeyError"), (hidden, "MemoryError: hidden in"), (endless, "TooSlow")],
)
def test_what_must_not_happen_is_found_and_kept(read, says, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzer, "SECONDS", 0.05)
    found = fuzzer.fuzz(Reader("x", read, [b"seed"]), 0, 0, 3, tmp_path, tmp_path / "kept")
    assert len(found["kinds"]) == 1 and says in found["kinds"][0] and found["findings"] == 3
    assert len(list((tmp_path / "kept").iterdir())) == 1
