"""Rerun exactly what changed: the jobs that a dry run plans after each kind of change."""

import json
import os
import shutil

import pytest
import why
from harness import copy_repository, planned, pretend, snakemake

# Whatever changes, the record of the run tells it.
RECORD = {"build_manifest": 1, "build_crate": 1}


def code(text):
    """An edit that changes what runs."""
    return text + "\nADDED = 1\n"


def prose(text):
    """An edit that changes comments, a docstring and the layout, and nothing that runs."""
    head, quote, rest = text.partition('"""')
    return f"{head}{quote}Another first word. {rest}\n\n# A comment.\n"


def test_prose_reruns_nothing(demo, edited):
    for name in (
        "torch_nn/attention.py",
        "numpy_nn/linear.py",
        "pipeline/atomic.py",
        "gpt/train.py",
    ):
        edited(f"scripts/{name}", prose)
    assert planned(demo) == {}


@pytest.mark.parametrize(
    "outputs, rule",
    [
        (["mlp/mixer/seed1/history.json", "mlp/mixer/seed1/model.npz"], "train_mlp"),
        (["mlp/search/rung1/0.fold0.json"], "train_rung"),
        (["mlp/search/candidates.json"], "draw_candidates"),
        (["mlp/search/selection.json"], "choose_survivor"),
        (["mlp/cv/lr-0.1_batch_size-32_dropout-0.0/fold1.json"], "cross_validate_mlp"),
        (["dna/planted_motifs/metrics.json"], "evaluate_dna"),
        (["figures/attention/gpt-grammar_stories-attention.svg"], "draw_figures"),
    ],
)
def test_what_a_failed_job_left_missing_is_made_again(demo, outputs, rule):
    """Snakemake deletes a failed job's outputs; all that was once made of them is still there."""
    places = [demo / "results" / "demo" / name for name in outputs]
    for place in places:
        place.rename(place.with_name(f"kept-{place.name}"))
    try:
        assert planned(demo)[rule] == 1
    finally:
        for place in places:
            place.with_name(f"kept-{place.name}").rename(place)
    assert planned(demo) == {}


def test_touching_everything_reruns_nothing(demo):
    times = {}
    for folder in ("config", "data", "results", "scripts", "workflow", "envs"):
        for path in (demo / folder).rglob("*"):
            if path.is_file():
                times[path] = path.stat()
                os.utime(path)
    try:
        assert planned(demo) == {}
    finally:
        for path, stat in times.items():
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_moved_directory_reruns_nothing(demo):
    moved = demo.with_name("moved")
    demo.rename(moved)
    try:
        assert planned(moved) == {}
    finally:
        moved.rename(demo)


def test_another_number_of_cores_reruns_nothing(demo):
    assert planned(demo, "--cores", "7") == {}


@pytest.mark.parametrize(
    ("module", "directly", "never"),
    [
        (
            "torch_nn/attention.py",
            {"train_gpt", "train_dna", "train_seq2seq", "sample_gpt", "evaluate_dna"},
            {"train_vision", "train_mlp", "cross_validate_mlp", "generate_images", "prepare_dna"},
        ),
        (
            "torch_nn/cnn.py",
            {"train_vision", "evaluate_vision"},
            {"train_gpt", "train_dna", "train_seq2seq", "train_mlp", "train_rung"},
        ),
        (
            "numpy_nn/linear.py",
            {"cross_validate_mlp", "train_rung", "train_mlp", "evaluate_mlp"},
            {"train_vision", "train_gpt", "generate_images"},
        ),
        (
            "torch_nn/sampling.py",
            {"sample_gpt", "evaluate_gpt"},
            {"train_gpt", "train_dna", "train_seq2seq", "trace_gpt", "train_mlp"},
        ),
        (
            "gpt/story_grammar.py",
            {"generate_stories"},
            {"train_dna", "train_vision", "train_mlp"},
        ),
        (
            "reporting/report.py",
            {"build_report"},
            {"train_mlp", "draw_figures"},
        ),
    ],
)
def test_a_module_reruns_what_uses_it(demo, edited, module, directly, never):
    edited(f"scripts/{module}", code)
    jobs = set(planned(demo))
    assert directly <= jobs
    assert not never & jobs


def test_the_settings_of_a_room_rerun_nothing_by_themselves(demo, edited):
    """Their values are in the specs: a range, a description or another model changes none."""
    for room in ("gpt", "mlp", "vision", "dna", "seq2seq", "raw"):
        edited(f"scripts/{room}/settings.py", code)
    assert planned(demo) == {}


def test_an_edit_undone_reruns_nothing(demo, edited):
    edited("scripts/torch_nn/attention.py", code)
    assert planned(demo)
    edited("scripts/torch_nn/attention.py", lambda text: text.removesuffix("\nADDED = 1\n"))
    assert planned(demo) == {}


@pytest.mark.parametrize(
    ("change", "exactly"),
    [
        (
            {"report": {"examples": 3}},
            {"draw_figures": 1, "build_report": 1},
        ),
        (
            {"mlp": {"grid": {"lr": [0.03, 0.1, 0.2]}}},
            {"cross_validate_mlp": 4, "select_mlp": 1, "train_mlp": 5, "evaluate_mlp": 1,
             "build_leaderboard": 1, "draw_figures": 1, "build_report": 1, "build_play": 1},
        ),
        (
            {"mlp": {"final": {"searched": {"seeds": [1, 2, 3, 4]}}}},
            {"train_mlp": 1, "evaluate_mlp": 1, "ensemble_mlp": 1, "build_leaderboard": 1,
             "draw_figures": 1, "build_report": 1},
        ),
        (
            {"mlp": {"search": {"rungs": [{"candidates": 4, "epochs": 5},
                                          {"candidates": 2, "epochs": 16}]}}},
            {"train_rung": 2, "rank_rung": 1, "choose_survivor": 1, "train_mlp": 5,
             "evaluate_mlp": 1, "ensemble_mlp": 1, "build_leaderboard": 1, "draw_figures": 1,
             "build_report": 1},
        ),
        (
            {"mlp": {"recipes": {"mixer": {"dropout": 0.1}}}},
            {"train_mlp": 1, "evaluate_mlp": 1, "ensemble_mlp": 1, "build_leaderboard": 1,
             "draw_figures": 1, "build_report": 1},
        ),
        (
            {"mlp": {"ensemble": {"members": ["searched/seeds", "mixer/seeds"]}}},
            {"ensemble_mlp": 1, "build_leaderboard": 1, "draw_figures": 1, "build_report": 1},
        ),
        (
            {"dna": {"seeds": [1, 2, 3]}},
            {"train_dna": 1, "evaluate_dna": 1, "build_leaderboard": 1, "draw_figures": 1,
             "build_report": 1, "build_play": 1},
        ),
        # One more data set: one fetched, one prepared, one trained (DNA: under two seeds).
        (
            {"gpt": {"datasets": ["grammar_stories", "tinyshakespeare"]}},
            {"fetch_tinyshakespeare": 1, "prepare_text": 1, "train_gpt": 1, "sample_gpt": 1,
             "measure_baselines": 1, "trace_gpt": 1, "evaluate_gpt": 1, "build_leaderboard": 1,
             "draw_figures": 1, "build_report": 1, "build_play": 1},
        ),
        (
            {"dna": {"datasets": ["planted_motifs", "statlog_dna"]}},
            {"fetch_statlog_dna": 1, "prepare_dna": 1, "train_dna": 2, "evaluate_dna": 1,
             "measure_dna_baselines": 1, "find_dna_motifs": 1, "build_leaderboard": 1,
             "draw_figures": 1, "build_report": 1, "build_play": 1},
        ),
        (
            {"gpt": {"settings": {"grammar_stories": {"sampling": {"seed": 2}}}}},
            {"sample_gpt": 1, "evaluate_gpt": 1, "build_leaderboard": 1, "build_report": 1,
             "build_play": 1},
        ),
    ],
)  # fmt: skip
def test_a_setting_reruns_exactly_its_readers(demo, change, exactly):
    # Both notebooks read the leaderboard and figures.
    assert planned(demo, change=change) == exactly | {"build_notebook": 2} | RECORD


def test_why_says_it_in_plain_words(demo, edited):
    edited("scripts/torch_nn/cnn.py", code)
    change = {"dna": {"settings": {"planted_motifs": {"training": {"lr": 0.005}}}}}
    told = why.report(snakemake(demo, "--dry-run", change=change)).splitlines()
    assert "train_dna (2 jobs): settings changed: lr 0.002 -> 0.005" in told
    assert "train_vision (3 jobs): its code changed" in told
    assert "evaluate_dna (1 job): what it reads is made again" in told


def test_one_more_fold_is_trained_alone(repository, tmp_path):
    folder, selection = copy_repository(repository, tmp_path), "results/demo/mlp/selection.json"
    pretend(folder, selection, change={"mlp": {"folds_to_train": 1}})
    # Four candidates, of which each has one of the two folds.
    assert planned(folder, selection) == {"cross_validate_mlp": 4, "select_mlp": 1}


def test_one_more_candidate_trains_itself_and_who_it_displaces(demo, tmp_path):
    """Every job of both rungs runs; those whose candidate is the same keep their result."""
    folder = tmp_path / "copy"
    shutil.copytree(demo, folder)
    search = folder / "results/demo/mlp/search"
    before = {path: path.read_bytes() for path in search.glob("rung*/[0-9]*.json")}
    rungs = [{"candidates": 5, "epochs": 5}, {"candidates": 2, "epochs": 15}]
    target = "results/demo/mlp/search/rung1/ranking.json"
    snakemake(folder, target, change={"mlp": {"search": {"rungs": rungs}}})
    logs = folder / "results/demo/logs/train_rung"
    kept = {
        path.stem.removesuffix(".fold0")
        for path in logs.glob("*.log")
        if "kept" in path.read_text()
    }
    assert {"0.0", "0.1", "0.2", "0.3"} <= kept and "0.4" not in kept
    after = {path: path.read_bytes() for path in search.glob("rung*/[0-9]*.json")}
    assert all(after[path] == before[path] for path in before if path.parent.name == "rung0")

    for place in (0, 1):
        path = search / "rung1" / f"{place}.fold0.json"
        same = json.loads(after[path])["candidate"] == json.loads(before[path])["candidate"]
        assert same == (f"1.{place}" in kept)


def test_a_new_template_reruns_the_report_alone(demo, edited):
    edited("workflow/report/report.html.j2", lambda text: text.replace("</body>", "<p></p></body>"))
    assert planned(demo) == {"build_report": 1} | RECORD


def test_a_new_script_reruns_the_live_page_alone(demo, edited):
    edited("scripts/play/page/nn.js", lambda text: text + "// Read again.\n")
    assert planned(demo) == {"build_play": 1} | RECORD


def test_a_changed_processed_file_reruns_its_consumers(demo):
    images = demo / "data" / "processed" / "digits" / "meta.json"
    content, stat = images.read_bytes(), images.stat()
    try:
        images.write_bytes(content + b"\n")
        jobs = set(planned(demo))
        assert {"evaluate_mlp", "build_report"} <= jobs
        assert not {"train_vision", "train_gpt", "train_dna"} & jobs
    finally:
        images.write_bytes(content)
        os.utime(images, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "Nothing to be done" in snakemake(demo, "--dry-run")
