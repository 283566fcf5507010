"""Charts: letters that can be read, texts that are texts, the same bytes each time."""

import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from fabricated_run import of_this_run

from reporting import charts, png, record_charts
from reporting.charts import Point, Series

EVIL = "<script>&\"'"
LINES = [Series("training", [(1, 2.0), (2, 1.0)], 1), Series("validation", [(1, 2.5), (2, 1.5)])]
# Each function of charts.py, with the name that the panel must have.
DRAWN = {
    "lines": lambda name: charts.lines(LINES, name, "epoch", EVIL, EVIL),
    "bars": lambda name: charts.bars([(EVIL, 2.0, "2.0"), ("b", 0.0, "0")], name, EVIL),
    "intervals": lambda name: charts.intervals(
        [Point(EVIL, 0.5, "0.5", 0.4, 0.6), Point("b", 0.7, "0.7", kind="theirs")], name, EVIL
    ),
    "strip": lambda name: charts.strip([Point(EVIL, 0.5, "0.5", 0.4, 0.6)], name),
    "matrix": lambda name: charts.matrix(np.array([[3, 1], [0, 2]]), [EVIL, "b"], name, EVIL),
    "heat": lambda name: charts.heat(np.eye(3), name, EVIL, ["a", EVIL, "c"], ["a", EVIL, "c"]),
    "photo": lambda name: charts.photo(np.zeros((8, 8), np.uint8), EVIL, "b", EVIL, name),
    "strings": lambda name: charts.strings([(EVIL, ["ACGT"])], name, EVIL),
}


def texts(panel: str) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(panel).iter("text")]


@pytest.mark.parametrize("kind", DRAWN)
def test_a_panel_fits_a_phone_and_escapes_its_texts(kind):
    """It is whole XML, at most as wide as a phone, with its name; a text is never markup."""
    drawn = DRAWN[kind](EVIL)
    root = ElementTree.fromstring(drawn)
    assert float(root.get("width")) <= charts.WIDTH < 390 and root.get("aria-label") == EVIL
    assert not list(root.iter("script"))
    assert drawn == DRAWN[kind](EVIL)


def test_letters_have_at_least_eleven_pixels():
    sizes = re.findall(r"font(?:-size)?: (\d+)px", charts.STYLE)
    assert sizes and min(map(int, sizes)) >= 11


def test_a_file_of_panels_gives_them_back():
    panels = [DRAWN[kind](kind) for kind in DRAWN]
    text = charts.sheet(panels, columns=2)
    ElementTree.fromstring(text)
    assert charts.panels_of(text) == panels
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.93, 0.97, [0.93, 0.94, 0.95, 0.96, 0.97]),
        (1, 40, [10, 20, 30, 40]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round_and_inside(low, high, wanted):
    assert charts.ticks(low, high) == wanted


def test_a_loss_over_a_decade_has_a_logarithmic_axis():
    steep = [Series("a", [(1, 100.0), (2, 1.0), (3, 0.1)])]
    assert {"100", "10", "1", "0.1"} <= set(texts(charts.lines(steep, "a", "step", "loss")))


def test_there_is_no_tick_between_two_epochs():
    shown = texts(charts.lines(LINES, "a", "epoch", "loss"))
    assert "1" in shown and "2" in shown and "1.2" not in shown


def test_the_legend_tells_each_kind_of_line_once():
    """Though the first history, that of a final training, has no validation."""
    final = {"seed": 1, "curve": [{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.5}]}
    fold = {"seed": 0, "fold": 1, "curve": [{"epoch": 1, "train_loss": 1.0, "val_loss": 0.9}]}
    (panel,) = record_charts.curves([final, fold, fold], "a net")
    names = [text for text in texts(panel) if text in ("training", "validation")]
    assert sorted(names) == ["training", "validation"]


def test_models_share_one_axis_of_compute():
    def history(model: str, flops: float) -> dict:
        curve = [{"epoch": e, "val_loss": 1.0, "val_accuracy": 0.5 + e / 10} for e in (1, 2)]
        return {"model": model, "train_flops": flops, "curve": curve}

    histories = [history("small", 1e9), history("large", 1e12), history("large", 1e12)]
    drawn = record_charts.by_compute(histories, "a set")
    assert "large: 0.7 at 1.00 TFLOP" in drawn and "small: 0.7 at 1.00 GFLOP" in drawn
    assert drawn.count("<polyline") == 2
    assert record_charts.by_compute(histories[1:], "a set") == ""


def test_a_chart_beside_published_results_leaves_room_for_them():
    group = [of_this_run(model="single", values=[0.5])]
    group += [of_this_run(members=f"{n} folds", values=[0.9]) for n in range(20)]
    published = [{**of_this_run(model=f"p{n}", values=[0.8]), "source": "S (2020)"} for n in "abc"]
    kept = [row["model"] for row in record_charts.keep([*group, *published], 9)]
    assert len(kept) == 9 and {"single", "pa", "pb", "pc"} <= set(kept)
    assert len(record_charts.keep(published + group[:1], 3)) == 3


def test_a_matrix_colours_errors_alone():
    drawn = ElementTree.fromstring(charts.matrix(np.array([[90, 10], [0, 50]]), ["a", "b"], "m"))
    cells = {rect.findtext("title"): rect for rect in drawn.iter("rect")}
    assert cells["10 of a taken for b"].get("class") == "bad"
    assert cells["90 of a"].get("class") == cells["50 of b"].get("class") == "box"
    assert len(cells) == 4  # with the frame; an empty cell is not drawn


def pixels(content: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The chunks of a PNG, whose checksums hold, and its unpacked lines."""
    chunks, at = {}, 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert zlib.crc32(name + body) == int.from_bytes(content[at + 8 + size :][:4], "big")
        chunks[name], at = body, at + size + 12
    return chunks, zlib.decompress(chunks[b"IDAT"])


def test_heat_is_transparent_at_zero_and_full_at_its_top():
    chunks, lines = pixels(png.heat(np.array([[0.0, 1.0, -1.0, 0.25]])))
    colours = [chunks[b"PLTE"][3 * k : 3 * k + 3] for k in lines[1:]]
    opacity = [chunks[b"tRNS"][k] for k in lines[1:]]
    assert opacity == [0, 254, 254, 128]  # the square root of a quarter is a half
    assert colours[1] == colours[3] == bytes(png.BLUE) and colours[2] == bytes(png.ORANGE)


def test_photos_keep_their_pixels():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    chunks, lines = pixels(png.photo(image))
    assert chunks[b"IHDR"][:8] == bytes([0, 0, 0, 4, 0, 0, 0, 2]) and chunks[b"IHDR"][9] == 2
    assert lines == b"\0" + image[0].tobytes() + b"\0" + image[1].tobytes()
    _, lines = pixels(png.photo(np.array([[0, 16]], np.uint8)))
    assert lines == bytes([0, 0, 240])  # 16 levels of grey are stretched


def test_rows_of_a_grid_and_of_a_race_can_be_few():
    one = {"lr": 0.1, "batch_size": 32, "dropout": 0.0, "mean": 0.9}
    for candidates in ([one], [one, {**one, "lr": 9.0, "mean": None}]):
        ElementTree.fromstring(record_charts.grid({"candidates": candidates}, "a search"))
