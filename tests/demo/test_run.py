"""The demo, end to end: what it leaves behind, and that asking again does nothing."""

import csv
import json
import re
import shutil

from forks import python
from harness import jobs_of, planned, snakemake

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


# Of what the demo compares its models with, nothing is asked.
BASELINES = ("GC content", "gradient boosting on k-mers", "small CNN")
# Far above chance, and not a bar to reach: a stage that trains nothing falls below.
ABOVE_CHANCE = {
    ("digits", "accuracy"): 0.8,
    ("shapes", "accuracy"): 0.25,
    ("planted_motifs", "accuracy"): 0.7,
    ("planted_motifs", "mcc"): 40.0,
    ("genetic_code", "token_accuracy"): 0.3,
}


def test_every_model_learnt(demo):
    seen = set()
    for row in leaderboard(demo):
        key = row["dataset"], row["metric"]
        if row["model"] in BASELINES:
            continue
        if row["split"] == "test" and row["subset"] == "all" and key in ABOVE_CHANCE:
            assert float(row["value"]) > ABOVE_CHANCE[key], row
            seen.add(key)
        if row["metric"] == "bits_per_byte" and row["implementation"] == "torch":
            assert float(row["value"]) < 0.5, row
    assert seen == set(ABOVE_CHANCE)


def test_the_samples_are_stories_and_the_grammar_judged_them(demo):
    """A brief training learns the sentences, not yet who has which toy: none need be accepted."""
    found = json.loads((demo / "results/demo/gpt/grammar_stories/samples.json").read_text())
    assert found["judged"] == 10 and 0 <= found["accepted_share"] <= 1
    for sample in found["samples"]:
        assert sample["text"].startswith("Once upon a time there was a"), sample


def test_the_report_is_one_file(demo):
    page = (demo / "results" / "demo" / "report.html").read_text()
    assert not re.search(r"""<(script|img|iframe|source)[^>]+src=["'](?!data:)""", page)
    assert not re.search(r"<link[^>]+href=", page)
    assert "stand-in" in page


def test_the_live_page_has_an_exhibit_of_each_room(demo):
    page = (demo / "results" / "demo" / "play.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.+?)</script>', page)
    assert list(json.loads(found[1])) == ["seq2seq", "dna", "gpt", "mlp"]
    assert 'href="play.html"' in (demo / "results" / "demo" / "report.html").read_text()


def test_the_report_of_one_room_speaks_of_it_alone(demo, tmp_path):
    """seq2seq has neither samples, predicted classes nor a submission."""
    folder = tmp_path / "copy"
    shutil.copytree(demo, folder)
    for room in ("mlp", "vision", "gpt", "dna"):
        shutil.rmtree(folder / "results" / "demo" / room)
    report = "results/demo/report.html"
    shown = snakemake(folder, report, change={"rooms": ["seq2seq"]})
    assert not {job for job in jobs_of(shown) if job.startswith(("train_", "evaluate_"))}
    assert {row["dataset"] for row in leaderboard(folder)} == {"genetic_code"}
    page = (folder / report).read_text()
    assert "genetic_code" in page and "planted_motifs" not in page
    assert planned(folder, report, change={"rooms": ["seq2seq"]}) == {}


def test_submission(demo):
    lines = (demo / "results/demo/dna/planted_motifs/submission.csv").read_text().splitlines()
    assert lines[0] == "id,label"
    assert len(lines) > 10


def test_the_notebooks_ran_and_show_what_the_run_found(demo):
    figures = {"part1": ("confusion", "errors"), "part2": ("positions", "attention", "study")}
    for page, kinds in figures.items():
        path = demo / "results" / "demo" / "notebooks" / f"{page}.ipynb"
        cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        assert len(cells) > 10 and all(cell["execution_count"] for cell in cells)
        outputs = [output for cell in cells for output in cell["outputs"]]
        assert not [one for one in outputs if one["output_type"] == "error"]
        shown = json.dumps(outputs)
        for kind in kinds:
            assert f'alt=\\"{kind}: ' in shown, (page, kind)
    # A number of the run, as pandas writes it.
    value = next(float(r["value"]) for r in leaderboard(demo) if r["dataset"] == "genetic_code")
    assert f"{value:.6f}"[:6] in shown


def test_nothing_half_written_stays(demo):
    files = (path for path in (demo / "results").rglob("*") if path.is_file())
    assert [p for p in files if p.name.startswith(".") or ".checkpoints" in p.parts] == []


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
    shown = python("-m", "reporting.print_leaderboard", "results/demo", cwd=demo).stdout
    assert (
        "digits (scikit-learn, 8x8) (stand-in): accuracy" in shown
        and "results/demo/report.html" in shown
    )


def test_wrong_configuration_is_one_line_before_anything_runs(demo):
    shown = snakemake(demo, "--config", "runn=x", "--dry-run", check=False)
    assert "config: runn: unknown key; did you mean 'run'?" in shown
    assert "Traceback" not in shown and "Job stats" not in shown


def test_a_failed_job_shows_the_end_of_its_log(demo, tmp_path):
    folder = tmp_path / "copy"  # what fails takes its old outputs along
    shutil.copytree(demo, folder)
    images = folder / "data" / "processed" / "digits" / "images.npz"
    content = images.read_bytes()
    images.write_bytes(content[: len(content) // 2])
    shown = snakemake(folder, "--forcerun", "evaluate_mlp", check=False)
    # The program's own words, from the log, not the command that Snakemake prints.
    assert re.search(r"^ *error: .*images\.npz", shown, flags=re.M), shown[-3000:]
