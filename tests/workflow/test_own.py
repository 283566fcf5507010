"""`make text DATA=path`, `make dna DATA=path`: a preset that Snakemake runs as any other."""

import gzip
from pathlib import Path

import own
import pytest
import yaml
from harness import copy_repository, jobs_of, snakemake
from PIL import Image

from pipeline.errors import InputError

POEM = "".join(f"Line {number} of a poem.\n\n" for number in range(2000))


@pytest.fixture
def folder(repository, tmp_path, monkeypatch):
    """A copy of the repository, and a poem in it."""
    copy_repository(repository, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "My Poem.txt").write_text(POEM)
    return tmp_path / "here"


def planned(folder, preset):
    shown = snakemake(folder, "--dry-run", preset=f"../{preset.with_suffix('')}")
    return jobs_of(shown)


def test_the_preset_runs_the_room_on_the_data(folder):
    preset = own.write_preset("text", Path("../My Poem.txt"), Path("config/smoke.yaml"))
    assert preset == Path("results/own-my_poem/preset.yaml")
    values = yaml.safe_load(preset.read_text())
    (entry,) = values["own"].values()
    assert entry["title"] == "My Poem.txt" and str(folder) not in preset.read_text()
    settings = values["gpt"]["settings"]["own/my_poem"]
    assert settings["training"]["steps"] == 60 and settings["data"]["tokenizer"] == "bpe"
    jobs = planned(folder, preset)
    assert not any(name.startswith("fetch") for name in jobs)
    assert jobs["prepare_text"] == jobs["train_gpt"] == jobs["sample_gpt"] == 1
    # Changed data have another checksum.
    Path("../My Poem.txt").write_text(POEM + "The end.\n")
    own.write_preset("text", Path("../My Poem.txt"), Path("config/smoke.yaml"))
    (changed,) = yaml.safe_load(preset.read_text())["own"].values()
    assert changed["files"] != entry["files"]


def test_sequences_get_a_race_a_summary_and_the_columns_that_were_named(folder, capsys):
    rows = [f"{'ACGT'[i % 4] * 5}TTACG,{i % 2},{'ab'[i // 2 % 2]}" for i in range(8)]
    Path("../My set.csv.gz").write_bytes(
        gzip.compress("\n".join(["dna,fold,kind", *rows]).encode())
    )
    words = {"sequence": None, "label": "kind", "split": None}
    preset = own.write_preset("dna", Path("../My set.csv.gz"), Path("config/demo.yaml"), **words)
    assert preset == Path("results/own-my_set/preset.yaml")
    told = capsys.readouterr().err
    assert "8 sequences of 10 letters; 2 classes: a (4), b (4); " in told
    values = yaml.safe_load(preset.read_text())
    settings = values["dna"]["settings"]["own/my_set"]
    assert settings["data"]["classes"] == ["a", "b"] and str(folder) not in preset.read_text()
    assert "python -m dna.predict results/own-my_set/dna/own/my_set/seed1/" in preset.read_text()
    jobs = planned(folder, preset)
    assert jobs["try_dna"] == len(settings["choice"]["candidates"]) == 4
    assert {
        jobs[name] for name in ("choose_dna", "train_dna", "find_dna_motifs", "summarise_dna")
    } == {1}
    # Sequences of different lengths are aligned to nothing: pooling flatten takes no part.
    Path("../b.csv").write_text(
        "\n".join(["dna,kind", *(f"{'ACGT' * n},{n % 2}" for n in range(2, 9))])
    )
    ragged = own.write_preset("dna", Path("../b.csv"), Path("config/demo.yaml"))
    assert planned(folder, ragged)["try_dna"] == 3


def test_what_cannot_be_used_is_one_line_and_no_preset(folder, monkeypatch):
    Path("../a.csv").write_text("sequence,label\nACGTACGT,0\nACGTACGJ,1\n")
    monkeypatch.setattr("sys.argv", ["own.py", "dna", "../a.csv", "config/demo.yaml"])
    with pytest.raises(InputError, match="a.csv, line 3: .*found 'J' as letter 8 of 8"):
        own.main()
    assert not Path("results/own-a").exists() and not Path("data/raw/own/a").exists()


def test_pictures_run_the_room_of_images(folder):
    for number in range(24):
        kind = "cat" if number % 2 else "dog"
        path = Path("../pets", kind, f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((32, 32), number + 1).convert("RGB").save(path)
    preset = own.write_preset("images", Path("../pets"), Path("config/demo.yaml"))
    text = preset.read_text()
    values = yaml.safe_load(text)
    assert values["rooms"] == ["vision"] and values["vision"]["dataset"] == "own/pets"
    # What the pictures need over what the preset says.
    assert values["vision"]["models"] == ["fast_cnn"]
    assert values["vision"]["fast_cnn"]["widths"] == [16, 32, 64]
    assert values["vision"]["fast_cnn"]["batch_size"] == 8
    assert "--weights results/own-pets/vision/fast_cnn/seed1/model.safetensors" in text
    jobs = planned(folder, preset)
    assert not any(name.startswith("fetch") for name in jobs)
    assert jobs["prepare_images"] == jobs["train_vision"] == jobs["evaluate_vision"] == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("My Poem.txt", "my_poem"),
        ("2024-notes.txt", "text_2024_notes"),
        ("Über.txt", "uber"),
        ("книга.txt", "text"),
        ("a.b", "a"),
        ("Sites.csv.gz", "sites"),
    ],
)
def test_a_name_of_small_letters(tmp_path, path, name):
    assert own.name_of(tmp_path / path, "text") == name


def test_an_entry_that_does_not_fit_is_one_line(folder):
    change = {"own": {"own/x": {"title": "x", "kind": "own"}}}
    shown = snakemake(folder, "--dry-run", change=change, check=False)
    assert "config: own: own/x.task: missing" in shown
