"""`make text DATA=path`: its preset is one that Snakemake runs, as any other."""

from pathlib import Path

import own
import pytest
import yaml
from harness import copy_repository, jobs_of, snakemake
from PIL import Image

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
    assert settings["training"]["steps"] == 120 and settings["data"]["tokenizer"] == "bpe"
    jobs = planned(folder, preset)
    assert not any(name.startswith("fetch") for name in jobs)
    assert jobs["prepare_text"] == jobs["train_gpt"] == jobs["sample_gpt"] == 1
    # Changed data have another checksum.
    Path("../My Poem.txt").write_text(POEM + "The end.\n")
    own.write_preset("text", Path("../My Poem.txt"), Path("config/smoke.yaml"))
    (changed,) = yaml.safe_load(preset.read_text())["own"].values()
    assert changed["files"] != entry["files"]


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
    ],
)
def test_a_name_of_small_letters(tmp_path, path, name):
    assert own.name_of(tmp_path / path, "text") == name


def test_an_entry_that_does_not_fit_is_one_line(folder):
    change = {"own": {"own/x": {"title": "x", "kind": "own"}}}
    shown = snakemake(folder, "--dry-run", change=change, check=False)
    assert "config: own: own/x.task: missing" in shown
