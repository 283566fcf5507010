"""What make does with its words, and around the programs that it calls; others take their place."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.slow

# In the place of snakemake.cli: a run named by the last word, or one whose job b fails.
CLI = """
import os, sys, time
from pathlib import Path
def parse_args(words):
    print("Using workflow specific profile profiles/default for setting ...")
    class Asked:
        report, dryrun = None, "--dry-run" in words
    return None, Asked
def args_to_api(asked, parser):
    print("Snakemake talks", *sys.argv[1:], file=sys.stderr)
    os.environ["RUN_FOLDER"] = os.path.abspath(f"results/{sys.argv[-1]}")
    if Path("fails").exists():
        log = Path(".snakemake/log", time.strftime("%Y-%m-%dT%H%M%S") + ".5.snakemake.log")
        log.parent.mkdir(parents=True)
        log.write_text("Error in rule b:\\n    jobid: 2\\n    log: logs/b.log\\n")
        return False
    return True
"""
MINE = {"run": "mine", "rooms": ["mlp"], "mlp": {"dataset": "digits"}}


@pytest.fixture
def project(repository, tmp_path):
    """The Makefile and what it calls before and after Snakemake, in a folder with a space."""
    folder = tmp_path / "a folder"
    for name in ("workflow", "profiles"):
        shutil.copytree(repository / name, folder / name)
    shutil.copytree(repository / "scripts", folder / "scripts")
    for name in ("config", "logs", ".venv/bin", "scripts/snakemake"):
        (folder / name).mkdir(parents=True)
    for name in ("Makefile", "config/datasets.yaml"):
        shutil.copy(repository / name, folder / name)
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump({**MINE, "run": "standard"}))
    (folder / "config" / "demo.yaml").write_text("run: demo\n")
    (folder / "config" / "mine.yaml").write_text("run: mine\n")
    programs = {"python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "snakemake": "#!/bin/sh\n"}
    for name, text in programs.items():
        (folder / ".venv" / "bin" / name).write_text(text)
        (folder / ".venv" / "bin" / name).chmod(0o755)
    for name in ("requirements.txt", "requirements-uv.txt"):
        (folder / name).touch()
    (folder / ".venv" / "ready").write_text(f"{folder / '.venv'}\n")
    return folder


@pytest.fixture
def pretending(project):
    """With a Snakemake that only talks."""
    others = {"utils": "update_config = dict.update", "exceptions": "print_exception = print"}
    for name, text in {"__init__": "", "cli": CLI, **others}.items():
        (project / "scripts" / "snakemake" / f"{name}.py").write_text(text)
    return project


def make(folder, *words, **environment) -> subprocess.CompletedProcess:
    handed_on = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"}
    inherited = {key: value for key, value in os.environ.items() if key not in handed_on}
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "word",
    [
        "CORES=0", "CORES=x", "CORES=-1", "CORES=1.5", "CORES=1 2", "CORES=99999999999999",
        "PRESET=a b", "PRESET=config/demo.yaml", "PRESET=nope", "PRESET=datasets", "PRESET=",
        "PRESET=;true", "PROFILE=../slurm", "PROFILE=nope", "SEED=x", "SEED=", "INPUTS=0",
        "INPUTS=1e6", "ROOMS=gtp", "ROOMS=gpt;true", "ROOMS=../gpt", "CONDA=yes", "TORCH=gpu",
        "PYTHON=no-such-python", "preset=demo", "CORE=2",
    ],
)  # fmt: skip
def test_a_word_that_cannot_be_is_one_line_and_nothing_runs(project, word):
    (project / ".venv" / "ready").unlink()
    for command in ("run", "fuzz", "clean"):
        done = make(project, command, word)
        name, _, value = word.partition("=")
        first, second = done.stderr.splitlines()
        assert first.startswith(f"error: {name}: ") and second.endswith("nothing was done.  Stop.")
        assert f"found '{value}'" in first or "known: AGAINST ARGS" in first
        assert (done.returncode, done.stdout) == (2, "")


def test_all_wrong_words_are_told_at_once_and_the_names_that_can_be(project):
    done = make(project, "run", "CORES=0", "PRESET=nope")
    assert "one of: standard demo mine; found 'nope'" in done.stderr
    assert "CORES: expected a whole number above 0, or all; found '0'" in done.stderr


def test_rooms_are_handed_to_snakemake_and_not_beside_another_config(project):
    shown = make(project, "--dry-run", "run", "ROOMS=gpt  dna ").stdout
    assert "--config 'rooms=[gpt,dna]' --configfile" in shown
    assert "--config " not in make(project, "--dry-run", "run", "ROOMS=").stdout
    done = make(project, "run", "ROOMS=gpt", "ARGS=--config run=other")
    assert done.returncode == 2 and "ROOMS: not beside --config in ARGS" in done.stderr
    assert "any of: dna gpt mlp seq2seq vision" in make(project, "run", "ROOMS=x").stderr


def test_words_come_from_the_command_line_alone(project):
    """A runner of GitHub's has CONDA=/usr/share/miniconda in its environment."""
    names = ["CONDA", "CORES", "PRESET", "ARGS", "PROFILE", "SEED", "TORCH"]
    words = dict.fromkeys(names, "nonsense")
    shown = make(project, "--dry-run", "run", **words).stdout
    assert "nonsense" not in shown and "--cores all" in shown and "--sdm" not in shown
    assert "--sdm conda" in make(project, "--dry-run", "run", "CONDA=1").stdout


def test_make_run_ends_with_the_leaderboard_of_what_ran(pretending):
    done = make(pretending, "run", "PRESET=mine", "ARGS=--config run=other other")
    assert done.stdout == (
        "No leaderboard yet: results/other/leaderboard.csv is made by `make run`.\n"
    )
    talk = "--configfile config/mine.yaml --cores all --config run=other other\n"
    assert done.stderr.startswith("Snakemake talks --logger live") and done.stderr.endswith(talk)
    done = make(pretending, "run", "PRESET=mine", "ARGS=--dry-run mine")
    assert (done.returncode, done.stdout) == (0, ""), "nothing ran"


def test_make_run_says_last_what_failed(pretending):
    (pretending / "logs" / "b.log").write_text("error: broken\n")
    (pretending / "fails").touch()
    lines = make(pretending, "run").stderr.splitlines()
    assert lines[0].startswith("Snakemake talks")
    assert lines[1] == "failed: b: error: broken; log: logs/b.log"
    assert len(lines) == 3 and lines[2].startswith("make: ***") and "Error 1" in lines[2]


def installer(folder, *words):
    """The command that would make .venv/ready; none if nothing is to be done."""
    lines = make(folder, "--dry-run", ".venv/ready", *words).stdout.splitlines()
    return [line for line in lines if "install.py" in line]


def test_make_installs_only_what_it_must(project):
    command = "python3 workflow/lib/install.py requirements.txt --stamp .venv/ready --torch "
    assert installer(project) == installer(project, "TORCH=cuda") == []
    assert installer(project, "TORCH=cpu") == [f'{command}"cpu" --fresh']
    (project / ".venv" / "unfinished").touch()
    assert installer(project) == [f'{command}"" --fresh']
    (project / ".venv" / "unfinished").unlink()
    os.utime(project / "requirements.txt", (2**33, 2**33))
    assert installer(project) == [f'{command}"" ']
    shutil.rmtree(project / ".venv")
    assert installer(project, "TORCH=cpu") == [f'{command}"cpu" ']


def test_a_folder_that_was_moved_gets_a_new_venv_and_one_with_a_colon_says_so(project):
    moved = project.rename(project.parent / "moved")
    assert installer(moved)[0].endswith("--fresh")
    colon = moved.rename(project.parent / "a:b")
    done = make(colon, "run")
    assert "the path of this folder holds a colon" in done.stderr and done.returncode == 2


@pytest.fixture
def finished(pretending):
    """Runs: demo and mine read digits, other shapes too; benchmarks is no run."""
    for run, sets in {"demo": ["digits"], "mine": ["digits"], "other": ["digits", "gue/a"]}.items():
        (pretending / "results" / run / "logs").mkdir(parents=True)
        config = {"rooms": ["dna"], "dna": {"datasets": sets}}
        manifest = {"config": {"values": config}}
        (pretending / "results" / run / "manifest.json").write_text(json.dumps(manifest))
    for name in ("results/benchmarks", "results/reference", "data/processed/digits/hog",
                 "data/processed/gue/a", "data/processed/gue/b", "data/raw/gue"):  # fmt: skip
        (pretending / name).mkdir(parents=True)
    return pretending


def there(project, folder):
    return sorted(path.name for path in (project / folder).glob("*"))


def test_clean_deletes_one_run_and_what_no_other_reads(finished):
    assert make(finished, "clean", "PRESET=demo").stdout == "results/demo (0.0 MB)\n"
    assert there(finished, "results") == ["benchmarks", "mine", "other", "reference"]
    shutil.rmtree(finished / "results" / "other")
    done = make(finished, "clean", "PRESET=mine")
    assert done.stdout.splitlines() == ["results/mine (0.0 MB)", "data/processed/digits (0.0 MB)"]
    assert there(finished, "data/processed") == ["gue"] and there(finished, "data/raw") == ["gue"]
    assert make(finished, "clean", "PRESET=mine").stdout == "Nothing to delete.\n"


def test_clean_keeps_the_data_of_a_run_that_nobody_knows(finished):
    (finished / "results" / "other" / "manifest.json").unlink()
    shutil.rmtree(finished / "results" / "mine")
    assert make(finished, "clean", "PRESET=demo").stdout == "results/demo (0.0 MB)\n"
    assert "digits" in there(finished, "data/processed")


def test_clean_all_lists_all_and_keeps_what_git_keeps(finished):
    done = make(finished, "clean-all")
    names = [line.split(" (")[0] for line in done.stdout.splitlines()]
    assert names == [f"results/{run}" for run in ("benchmarks", "demo", "mine", "other")] + [
        "data/processed"
    ]
    assert there(finished, "results") == ["reference"] and there(finished, "data") == ["raw"]


def test_clean_without_standard_input_and_with_what_cannot_be_deleted(finished):
    shutil.rmtree(finished / "results" / "demo")
    (finished / "results" / "demo").touch()  # no folder
    done = make(finished, "clean", "PRESET=demo")
    assert done.returncode and done.stderr.startswith("error: cannot be deleted: "), done.stderr
    (finished / "results" / "demo").unlink()
    words = {"cwd": finished, "capture_output": True, "text": True}
    done = subprocess.run(["sh", "-c", "make clean-all <&-"], **words)
    assert done.returncode == 0 and there(finished, "data") == ["raw"], done.stderr


def test_a_link_goes_and_what_it_points_to_stays(finished, tmp_path):
    (finished / "results" / "demo").rename(tmp_path / "elsewhere")
    (finished / "results" / "demo").symlink_to(tmp_path / "elsewhere")
    make(finished, "clean", "PRESET=demo")
    assert "demo" not in there(finished, "results") and (tmp_path / "elsewhere/logs").is_dir()


def test_recipes_need_no_newer_make_than_a_mac_has(repository):
    """GNU make 3.81 ignores .SHELLFLAGS and .ONESHELL, and lacks `define NAME =` and `!=`.

    Without pipefail a failure before a pipe is lost: only the tail of a kept text goes through one.
    """
    text = (repository / "Makefile").read_text()
    assert not any(
        word in text for word in (".SHELLFLAGS", ".ONESHELL", "define ", "!= ", "$(file")
    )
    recipes = [line for line in text.splitlines() if line.startswith("\t")]
    piped = [line for line in recipes if " | " in line]
    assert [line.split(" | ")[1].split()[0] for line in piped] == ["tail"]
    for line in recipes:
        assert not any(word in line for word in ("[[", "<(", "&>", "|&", "pipefail", "source ")), (
            line
        )


def test_make_text_needs_data_that_are_there(project):
    done = make(project, "text", "DATA=nowhere.txt")
    assert "DATA: expected a file or a folder that is there; found 'nowhere.txt'" in done.stderr
    done = make(project, "text")
    assert done.returncode and "error: make text DATA=path: expected your data" in done.stderr


def test_make_images_needs_a_folder_per_class(pretending):
    (pretending / "pets").mkdir()
    done = make(pretending, "images", "DATA=pets", "PRESET=mine")
    assert "error: pets: expected a folder for each of two classes or more" in done.stderr
    assert "snakemake" not in done.stdout


def test_make_text_runs_the_preset_and_says_how_to_use_the_model(pretending):
    path = pretending / "config" / "config.yaml"
    like = {"training": {"steps": 3}, "sampling": {"prompts": ["Once"]}}
    config = yaml.safe_load(path.read_text())
    config["gpt"] = {"seeds": [7], "settings": {"tinystories": like}}
    path.write_text(yaml.safe_dump(config))
    (pretending / "It's a poem.txt").write_text("A poem.\n")
    done = make(pretending, "text", "DATA=It's a poem.txt", "PRESET=mine", "ARGS=--dry-run")
    assert "--configfile results/own-it_s_a_poem/preset.yaml" in done.stderr, done.stderr
    model = "results/own-it_s_a_poem/gpt/own/it_s_a_poem/seed7/model.safetensors"
    assert f"python -m gpt.sample --weights {model}" in done.stdout
    preset = yaml.safe_load((pretending / "results/own-it_s_a_poem/preset.yaml").read_text())
    (found,) = preset["gpt"]["settings"].values()
    assert found["training"] == {"steps": 3} and preset["rooms"] == ["gpt"]


def test_make_dna_runs_the_preset_and_shows_the_summary(pretending):
    path = pretending / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["dna"] = {"seeds": [7, 8], "settings": {"own": {}}}
    path.write_text(yaml.safe_dump(config))
    rows = [f"{i},{'ACGT'[i % 4]}ACGTAC,{'on' if i % 2 else 'off'},x" for i in range(6)]
    (pretending / "It's mine.csv").write_text("\n".join(["id,DNA of it,state,note", *rows]))
    folder = pretending / "results" / "own-it_s_mine"
    summary = folder / "dna" / "own" / "it_s_mine" / "summary.md"
    summary.parent.mkdir(parents=True)
    summary.write_text("A summary.\n")
    words = ("DATA=It's mine.csv", "LABEL=state", "SEQUENCE=DNA of it", "PRESET=mine")
    done = make(pretending, "dna", *words, "ARGS=--dry-run")
    assert "--configfile results/own-it_s_mine/preset.yaml" in done.stderr, done.stderr
    assert "6 sequences of 7 letters; 2 classes: off (3), on (3)" in done.stderr
    assert done.stdout == "A summary.\n"
    preset = yaml.safe_load((folder / "preset.yaml").read_text())
    assert preset["rooms"] == ["dna"] and preset["dna"]["seeds"] == [7]
    (found,) = preset["dna"]["settings"].values()
    assert found["data"]["classes"] == ["off", "on"]
    done = make(pretending, "dna", *words, "SPLIT=part")
    assert done.returncode and "SPLIT: expected one of id, DNA of it, state, note" in done.stderr
