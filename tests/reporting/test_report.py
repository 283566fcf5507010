"""The report: self-contained, escaped, the same bytes each time, everything in its place."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
import report_figures
from finished_run import CHOSEN, Run

from pipeline.atomic import write_json
from reporting.report import COUNTED, notes, trainings, way

EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}$x^2$"


class Resources(HTMLParser):
    """Collects what a page would load, and its scripts and links."""

    def __init__(self):
        super().__init__()
        self.loaded, self.links, self.scripts, self.ids = [], [], 0, []

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


def test_the_report_loads_nothing_from_anywhere(finished):
    text = (finished.folder / "report.html").read_text()
    page = Resources()
    page.feed(text)
    assert len(page.loaded) == sum(map(len, finished.plan.values()))
    assert all(url.startswith("data:image/svg+xml;base64,") for url in page.loaded)
    assert page.scripts == 1
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text
    assert len(page.ids) == len(set(page.ids))
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids) and {"leaderboard", "provenance", *CHOSEN} <= inner
    for url in page.loaded:
        svg = base64.b64decode(url.split(",", 1)[1]).decode()
        assert not re.search(r"(?:xlink:href|href|src)=\"(?!#|data:image/png)", svg)


def test_the_report_shows_what_the_issue_asks_for(finished):
    text = (finished.folder / "report.html").read_text()
    for told in (
        "0.9016", "0.8955 – 0.9075", "± 0.0017", "WRN-40-4", "0.9498", "93.0 %", "temperature 0.8",
        "0123456789ab", "Example Processor 3000", "never mixed", "stand-in", "top-k 40", "selected",
        "The data: the floor is 0.1234 bits per byte.", "19.3 TFLOP", COUNTED,
        "<dt>kernels</dt><dd>AVX2, float32", 'cpu × 1<br><span class="soft">AVX2, float32</span>',
    ):  # fmt: skip
        assert told in text, told


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
    shutil.copytree(finished.folder / "figures", run.folder / "figures")
    for kind in ("curves", "leaderboard"):
        run.draw(kind, run.folder / "figures" / kind, last=True)
    text = run.report()
    page = Resources()
    page.feed(text)
    assert page.scripts == 1
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7 * 7 }}" in text  # The template's language in data is data.


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


def test_a_narrow_screen_stacks_tables_of_words_and_scrolls_the_others(finished):
    text = (finished.folder / "report.html").read_text()
    tables = text.count("<table")
    assert text.count('<div class="scroll"><table') == tables
    style, body = text.split("</style>")
    assert "@media (max-width: 40rem)" in style and ".stack td[data-label]::before" in style
    for table in re.findall(r'<table[^>]*class="stack".*?</table>', body, re.S):
        for row in re.findall(r"<tr(?! class=\"group)[^>]*>(.*?)</tr>", table, re.S)[1:]:
            # All but the first cells (what the row is about) and a closing mark say what they are.
            bare = [cell for cell in re.findall(r"<td([^>]*)>", row) if "data-label" not in cell]
            assert len(bare) <= 3, row


def test_each_caption_stands_once(finished):
    text = (finished.folder / "report.html").read_text()
    for room in text.split("<section>")[1:]:
        notes = re.findall(r'<p class="note">(.*?)</p>', room, re.S)
        assert len(notes) == len(set(notes))
    assert "<figcaption" not in text and text.count("Three splits, three columns") == 1


def test_part_one_explains_its_words_and_others_do_not(finished):
    text = (finished.folder / "report.html").read_text()
    text = re.sub(r"base64,[\w+/=]+", "", text)
    rooms = dict(re.findall(r'<section>\n<h2 id="(\w+)">(.*?)</section>', text, re.S))
    for word in (
        "HOG",
        "Mixer",
        "flips at test time",
        "shifts at test time",
        "ensemble of folds",
        "ensemble of several models",
        "Successive halving",
    ):
        assert word in rooms["mlp"], word
        assert word not in rooms["seq2seq"], word
    assert "<dt>HOG" not in rooms["vision"]
    assert "<dt>Pyramid" not in rooms["mlp"], "it has none"
