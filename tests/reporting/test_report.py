"""The report: self-contained, escaped, the same bytes each time, everything in its place."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
import report_figures
from fabricated_run import of_this_run
from finished_run import CHOSEN, Run

from pipeline.atomic import write_json
from reporting import build_report, chapters
from reporting.leaderboard import read_leaderboard
from reporting.report import COUNTED, notes, trainings, way

NET = "Transformer encoder"
EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}$x^2$"


class Page(HTMLParser):
    """What a page would load, its scripts, links and ids, and what its tables and headings have."""

    def __init__(self, text: str):
        super().__init__()
        self.loaded, self.links, self.scripts, self.ids = [], [], 0, []
        self.bare, self.names = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.scripts += tag == "script"
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        else:
            keys = ("src", "href", "srcset", "data", "poster", "action")
            self.loaded += [found[key] for key in keys if key in found]
        # What a link, a screen reader or a keyboard needs.
        needed = {"h1": "id", "h2": "id", "h3": "id", "figure": "id", "th": "scope"}
        if tag in needed and needed[tag] not in found:
            self.bare.append((tag, attrs))
        if found.get("class") == "scroll" and found.get("tabindex") != "0":
            self.bare.append((tag, attrs))
        if found.get("role") in ("img", "region") and tag != "span":
            self.names.append(found["aria-label"])


@pytest.fixture(scope="module")
def text(finished) -> str:
    return (finished.folder / "report.html").read_text()


def chapter(text: str, name: str) -> str:
    """The part of the page that is about a model."""
    return re.search(rf'<details class="model" id="{name}".*?(?=<details class="model"|</section)',
                     text, re.S)[0]  # fmt: skip


def test_the_report_loads_nothing_from_anywhere(text):
    page = Page(text)
    assert page.loaded and all(url.startswith("data:image/png;base64,") for url in page.loaded)
    assert page.scripts == 1 and "@import" not in text and "url(" not in text
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src" in text
    assert f"'sha256-{digest}'" in text
    outer = [link for link in page.links if not link.startswith(("#", "data:text/csv"))]
    assert all(link.startswith("https://") for link in outer)
    assert len(text) < 3_000_000


def test_all_can_be_linked_named_and_reached(text):
    page = Page(text)
    assert page.bare == []
    assert len(page.ids) == len(set(page.ids)) and len(page.names) == len(set(page.names))
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    assert {"leaderboard", "provenance", "content", *CHOSEN} <= inner
    assert text.count("<figure") == text.count("<figcaption>")


def test_the_report_shows_what_the_issue_asks_for(text):
    for told in (
        "0.9016", "0.8955 – 0.9075", "± 0.0017", "WRN-40-4", "0.9498", "93.0 %", "temperature 0.8",
        "0123456789ab", "Example Processor 3000", "never mixed", "stand-in", "top-k 40", "selected",
        "the floor is 0.1234 bits per byte", "19.3 TFLOP", COUNTED, "AVX2, float32",
        "Skip to the content",
    ):  # fmt: skip
        assert told in text, told


def test_the_first_screen_tells_results_codons_and_a_story(text):
    first = text[text.index('<header id="summary"') : text.index("</header>")]
    assert first.count("<tr>") == 1 + sum(map(len, CHOSEN.values()))
    assert (
        "behind" in first
        and "none that compares" in first
        and 'aria-label="less is better"' in first
    )
    assert "there was a little dog" in first and first.count('class="panel"') >= 8
    for href in re.findall(r'href="#(model-[^"]+)"', first):
        assert f'<details class="model" id="{href}"' in text


def test_a_chapter_tells_cost_commands_and_card(text):
    plain = chapter(text, "model-mlp-plain")
    for told in (
        "61 s", "19.3 TFLOP", "% of the measured peak", "seeds 1, 2, 3",
        "git checkout 0123456789ab", "make run PRESET=made ROOMS=mlp", "results/made-up/logs/",
        "not made for", "Model card",
        "What it gets wrong", "test examples right",
    ):  # fmt: skip
        assert told in plain, told
    by_hand = chapter(text, "model-gpt-tinyshakespeare")
    assert "losses by hand and by autograd" in by_hand


def test_dna_tells_curves_motifs_and_profiles_and_mcc_first(text):
    dna = chapter(text, "model-dna-gue-prom_core_tata")
    for told in (
        "area under the ROC curve (AUC) 0.900", "calibration error (ECE) 0.031",
        "What it looks for", "80 of 100", "ATATAT", "fits 90 %; Someone (1999)", "75.0 %",
        "(3 to 5)", "motif 2", "Letters of 120 val sequences", "on both strands",
    ):  # fmt: skip
        assert told in dna, told
    scores = dna[dna.index("Scores of") :]
    assert scores.index("MCC × 100") < scores.index("accuracy")
    # Of a baseline the metric that speaks, and its curve behind the model's.
    assert scores.count("GC content</span>") == 1 and "GC content: 0.600" in dna


def test_the_page_of_one_s_own_sequences_speaks_to_their_owner(finished, tmp_path):
    folder = "gue/prom_core_tata"
    own = {
        "title": "my <set>.csv", "description": "Your own: 20 sequences.", "sizes": {"test": 4},
        "warnings": ["the network is not better than chance"], "model": NET,
        "models": [
            {"model": name, "value": value, "ci_low": low, "ci_high": 90.5, "parameters": 3}
            for name, value, low in [("GC content", 80.0, 70.0), (NET, 75.0, 60.0)]
        ],
        "shared": {"test": {"same": 1, "near": 2}}, "chosen": "Chosen of 4 models on val.",
        "seconds": 2.0, "predictions": ["results/own-x/predictions.csv"],
        "predict": "python -m dna.predict x", "explain": "python -m dna.explain x",
    }  # fmt: skip
    write_json(tmp_path / "summary.json", own)
    files = finished.files
    records = [p for kind in ("metrics", "histories", "curves", "motifs") for p in files[kind]]
    records = [path for path in records if "/dna/" in str(path)]
    inside = [report_figures.folder(str(path), str(finished.folder)) for path in records]
    spec = build_report.Spec(
        run="own-x",
        rooms={"dna": [folder]},
        datasets=report_figures.about([folder], finished.table),
        records=[{"room": "dna", "folder": one} for one in [*inside, f"dna/{folder}"]],
    )
    rows = read_leaderboard(finished.folder / "leaderboard.csv")
    rows = [row for row in rows if row["dataset"] == folder and row["source"] == "this run"]
    template = finished.repository / "workflow" / "report" / "report.html.j2"
    page = build_report.page(
        spec, rows, ({}, []), template, [*records, tmp_path / "summary.json"], []
    )
    for told in (
        '<h1 id="top">my &lt;set&gt;.csv</h1>', "MCC × 100 of <strong>75.0</strong>",
        "60.0 to 90.5",
        "The best baseline is GC content with 80.0", "<strong>Warning:</strong> the network is not",
        "Of the 4 test sequences, 1 are", "2 share half", "Chosen of 4 models",
        "<pre>python -m dna.predict x</pre>", "make dna DATA=&#39;my &lt;set&gt;.csv&#39;",
    ):  # fmt: skip
        assert told in page, told
    words = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.S).lower()
    for word in ("image", "photograph", "published", "gue reports", "first principles"):
        assert word not in words, word
    assert Page(page).bare == []


def test_an_earlier_run_of_the_name_is_compared(text):
    start = text.index('<h2 id="earlier"')
    section = text[start : text.index("</section>", start)]
    (better,) = re.findall(r"(\d+) are better", section)
    rows = re.findall(r'<th scope="row">(.*?)</tr>', section, re.S)
    assert int(better) == sum('verdict">better' in row for row in rows) > 0
    assert sum('verdict">equal' in row for row in rows) > 0 and "worse," not in section
    (plain,) = (row for row in rows if "MLP 784-512-256-10" in row and "0.0400" in row)
    assert "ba98765" in plain and "0123456" in plain


def test_the_leaderboard_is_grouped_sorted_and_can_be_saved(finished, text):
    start = text.index('<div id="rows"')
    board = text[start : text.index('<h2 id="reading"')]
    groups = re.findall(r'<tbody data-about="(\w+) (\w+)">(.*?)</tbody>', board, re.S)
    for metric, _, rows in groups:
        values = [float(v) for v in re.findall(r'<td class="n value">([\d.]+)</td>', rows)]
        assert values == sorted(values, reverse=metric not in ("nats_per_token", "bits_per_byte"))
    saved = re.search(r'href="data:text/csv;charset=utf-8,([^"]+)" download', text)[1]
    lines = (finished.folder / "leaderboard.csv").read_text().count("\n")
    assert saved.count("%0A") == lines == 1 + board.count('<tr class="row')


def test_the_same_report_comes_out_again(finished):
    assert finished.report() == finished.report()


def test_evil_text_stays_text(finished, tmp_path, repository, monkeypatch):
    def change(files):
        for path in files["samples"]:
            record = json.loads(path.read_text())
            record["note"] = EVIL
            record["samples"][0] |= {"prompt": EVIL, "text": EVIL + EVIL}
            write_json(path, record)
        for path in files["metrics"]:
            record = json.loads(path.read_text())
            record["notes"] = {EVIL: EVIL, "list": [EVIL]}
            for row in record["rows"]:
                row["model"] += EVIL
            write_json(path, record)
        for path in files["histories"]:
            write_json(path, {**json.loads(path.read_text()), "model": EVIL})

    run = Run(tmp_path / "made-up", repository, monkeypatch, change)
    run.draw(run.folder / "figures")
    text = run.report()
    assert Page(text).scripts == 1
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7 * 7 }}" in text  # The template's language in data is data.


def test_a_file_belongs_to_the_deepest_chapter_above_it():
    rated, trained = {"rows": []}, {"curve": []}
    records = [
        ("gpt/a", rated), ("gpt/a/seed1", trained), ("gpt/a/numpy", rated),
        ("gpt/a/numpy/twin", rated), ("gpt/a/numpy", trained), ("gpt/ab", rated),
    ]  # fmt: skip
    # The twin has no training of its own: it is told with the model whose twin it is.
    assert chapters.folders(records) == ["gpt/a", "gpt/a/numpy", "gpt/ab"]
    assert chapters.inside("gpt/a/seed1", "gpt/a") and not chapters.inside("gpt/ab", "gpt/a")


def test_a_baseline_does_not_speak_for_a_chapter():
    rows = [of_this_run(model=name, values=[value]) for name, value in (("xz", 0.9), ("GPT", 0.8))]
    assert chapters.lead(rows, {"GPT"})["model"] == "GPT"
    cv = of_this_run(model="GPT", split="cv", values=[0.95])
    assert chapters.lead([cv, *rows], {"GPT"})["split"] == "test"


def test_the_place_of_a_file_in_the_report():
    chosen = {"dna": ["statlog_dna", "gue/prom_core_tata"], "vision": ["cifar10"]}
    place = report_figures.place
    found = place("results/x/dna/gue/prom_core_tata/predictions.csv", "results/x", chosen)
    assert found == ("dna", "gue/prom_core_tata", "")
    found = place("results/x/vision/cnn/predictions.csv", "results/x", chosen)
    assert found == ("vision", "cifar10", "cnn")
    with pytest.raises(ValueError, match="none of the data sets"):
        place("results/x/dna/predictions.csv", "results/x", chosen)


def test_the_look_is_no_part_of_the_configuration_s_hash():
    config = {"run": "a", "mlp": {"lr": [1, 2]}, "report": {"dpi": 1}, "data_mirror": None}
    first = report_figures.config_sha256(config)
    assert first == report_figures.config_sha256({**config, "report": {"dpi": 2}})
    assert first != report_figures.config_sha256({**config, "mlp": {"lr": [1, 3]}})


def test_a_note_names_no_setting_that_was_not_set():
    note = "of 100 stories by the first way, temperature=1.0 top_k=None top_p=None"
    assert way(note) == "of 100 stories by the first way, temperature 1.0"
    assert way("temperature=0.7 top_k=40 top_p=None") == "temperature 0.7 top-k 40"
    assert way("none chosen by hand") == "none chosen by hand"


def test_what_all_evaluations_of_a_room_note_is_said_once():
    records = [
        {"rows": [{"model": "a"}], "notes": {"interval": "Wilson's", "seeds": 3}},
        {"rows": [{"model": "b"}], "notes": {"interval": "Wilson's", "seeds": 5}},
    ]
    assert notes(records) == [
        ("interval", "Wilson's", []),
        ("seeds", 3, ["a"]),
        ("seeds", 5, ["b"]),
    ]


def test_trainings_of_folds_have_a_line_of_their_own(finished):
    found = trainings([json.loads(path.read_text()) for path in finished.files["histories"]])
    name = "MLP 2388-1024-1024-10 on pixels + HOG"
    told = {(line["model"], line["trainings"]) for line in found if line["model"] == name}
    assert told == {(name, "seeds 1, 2, 3"), (name, "folds 0, 1")}


def test_part_one_explains_its_words_and_others_do_not(text):
    rooms = dict(re.findall(r'<h2 id="(\w+)">(.*?)</section>', text, re.S))
    for word in (
        "HOG",
        "Tolstikhin",
        "flips at test time",
        "shifts at test time",
        "ensemble of folds",
        "ensemble of several models",
        "Successive halving",
    ):
        assert word in rooms["mlp"], word
        assert word not in rooms["seq2seq"], word
    assert "<dt>HOG" not in rooms["vision"]
