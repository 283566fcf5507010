"""The demo, end to end: what it leaves behind, and that asking again does nothing."""

import csv
import json
import os
import re
import subprocess
import sys

from harness import SNAKEMAKE, planned, snakemake

from pipeline.results import COLUMNS


def leaderboard(folder, run="demo"):
    with (folder / "results" / run / "leaderboard.csv").open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_every_task_has_a_row_on_the_test_split(demo):
    rows = leaderboard(demo)
    assert tuple(rows[0]) == COLUMNS
    ours = {(r["task"], r["implementation"]) for r in rows if r["split"] == "test"}
    assert ours >= {
        ("image_classification", "numpy"),
        ("image_classification", "torch"),
        ("language_modelling", "torch"),
        ("dna_classification", "torch"),
        ("translation", "torch"),
    }


def test_the_demo_names_only_what_it_ran_on(demo):
    datasets = {row["dataset"] for row in leaderboard(demo)}
    assert datasets == {"digits", "shapes", "grammar_stories", "planted_motifs", "genetic_code"}
    assert {row["source"] for row in leaderboard(demo)} == {"this run"}


def test_the_models_learnt(demo):
    """Not a bar to reach: far above chance, so that a stage which trains nothing is caught."""
    best = {}
    for row in leaderboard(demo):
        if row["split"] == "test":
            key = row["dataset"], row["metric"]
            best[key] = max(best.get(key, 0.0), float(row["value"]))
    assert best["digits", "accuracy"] > 0.8
    assert best["shapes", "accuracy"] > 0.4
    assert best["planted_motifs", "accuracy"] > 0.6
    assert best["genetic_code", "exact_match"] > 0.1
    bits = [float(r["value"]) for r in leaderboard(demo) if r["metric"] == "bits_per_byte"]
    assert max(bits) < 2


def test_the_report_is_one_file(demo):
    page = (demo / "results" / "demo" / "report.html").read_text()
    assert not re.search(r"""<(script|img|iframe|source)[^>]+src=["'](?!data:)""", page)
    assert not re.search(r"<link[^>]+href=", page)
    assert "stand-in" in page


def test_submission(demo):
    lines = (demo / "results/demo/dna/planted_motifs/submission.csv").read_text().splitlines()
    assert lines[0] == "id,label"
    assert len(lines) > 10


def test_nothing_half_written_stays(demo):
    left = [p for p in (demo / "results").rglob(".*") if p.is_file()]
    assert left == []


def test_again_does_nothing(demo):
    assert planned(demo) == {}


def test_the_catalogs_entry_point_shares_the_results(demo):
    assert "Nothing to be done" in snakemake(demo, "-s", "workflow/Snakefile", "--dry-run")


def test_snakemakes_own_report(demo):
    snakemake(demo, "--report", "own-report.html")
    page = (demo / "own-report.html").read_text()
    (demo / "own-report.html").unlink()
    assert "Leaderboard" in page


def test_the_table_is_printed(demo):
    words = [sys.executable, "scripts/print_leaderboard.py", "--config", "config/demo.yaml"]
    shown = subprocess.run(words, cwd=demo, capture_output=True, text=True, check=True).stdout
    assert "digits" in shown and "results/demo/report.html" in shown


def test_wrong_configuration_is_one_line_before_anything_runs(demo):
    shown = snakemake(demo, "--config", "runn=x", "--dry-run", check=False)
    assert "config: runn: unknown key; did you mean 'run'?" in shown
    assert "Traceback" not in shown and "Job stats" not in shown


def test_a_failed_job_shows_the_end_of_its_log(demo):
    images = demo / "data" / "processed" / "digits" / "images.npz"
    content, stat = images.read_bytes(), images.stat()
    try:
        images.write_bytes(content[: len(content) // 2])
        shown = snakemake(demo, "--forcerun", "evaluate_mlp", check=False)
        assert "error: " in shown and "images.npz" in shown
    finally:
        images.write_bytes(content)
        os.utime(images, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        snakemake(demo)


def test_every_preset_can_be_planned(demo):
    for preset in ("smoke", "config", "full"):
        shown = snakemake(demo, "--dry-run", "--quiet", preset=preset)
        assert "error" not in shown.lower()


def test_presets_prepare_each_data_set_alike(demo):
    """Prepared data is shared by all runs: a preset that prepared it otherwise would make the
    results of the others stale."""
    specs = {}
    for preset in ("smoke", "config", "full"):
        shown = subprocess.run(
            [SNAKEMAKE, "-n", "-p", "--forceall", "--configfile", f"config/{preset}.yaml"],
            cwd=demo,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for spec, output in re.findall(
            r"python scripts/prepare_\w+\.py --spec '(\{.*?\})'.*?(data/processed/\S+)", shown
        ):
            specs.setdefault(output, set()).add(json.dumps(json.loads(spec), sort_keys=True))
    assert len(specs) >= 5
    assert {output: len(found) for output, found in specs.items() if len(found) > 1} == {}
