"""The report in a browser: light, dark, on a phone, on paper; all is there, axe finds nothing."""

import json
from pathlib import Path

import pytest
from browser import DESK, NEEDED, PHONE, RUN_AXE, axe, framed, show

pytestmark = [pytest.mark.slow, *NEEDED]
PAPER = 718  # Pixels: A4 inside its margins.

# What a page tells of itself: its size, what is wider than its place, what it loaded.
MEASURE = """
const right = (element) => element.getBoundingClientRect().right;
const found = {
  height: document.documentElement.scrollHeight,
  overflow: document.documentElement.scrollWidth - innerWidth,
  scrolled: [...document.querySelectorAll(".scroll")].filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => box.getAttribute("aria-label")),
  outside: [...document.querySelectorAll("th, td, .panel")].filter((one) => right(one) > innerWidth + 1).length,
  small: [...document.querySelectorAll(".panel")].filter((one) => one.checkVisibility())
    .filter((one) => one.getBoundingClientRect().width < one.getAttribute("width") - 1
      || [...one.querySelectorAll("text")].some((text) => parseFloat(getComputedStyle(text).fontSize) < 11)).length,
  white: [...document.querySelectorAll("figure, .panel")]
    .filter((one) => getComputedStyle(one).backgroundColor === "rgb(255, 255, 255)").length,
  loaded: performance.getEntriesByType("resource").map((entry) => entry.name),
};
const tell = (more) => parent.postMessage({name: NAME, ...found, ...more}, "*");
"""  # noqa: E501


class Frame:
    """A page in a frame `width` pixels wide. opened: with all its details; paper: as printed."""

    def __init__(self, page: Path, width: int, opened=False, paper=False, with_axe=False):
        text = page.read_text(encoding="utf-8")
        text = text.replace("@media print", "@media all") if paper else text
        steps = [f"const NAME = {json.dumps(self.named(page, width))};", MEASURE]
        if opened:
            steps.insert(
                0, 'document.querySelectorAll("details").forEach((d) => { d.open = true; });'
            )
        steps = [axe(), *steps, RUN_AXE] if with_axe else [*steps, "tell({});"]
        self.markup = framed(text, width, "\n".join(steps))

    @staticmethod
    def named(page: Path, width: int) -> str:
        return f"{page.parent.name} {width}"


@pytest.fixture(scope="module")
def page(finished) -> Path:
    return finished.folder / "report.html"


def test_on_a_desk_a_phone_and_paper_nothing_is_cut_off(page, repository, tmp_path):
    kept = repository / "results" / "reference" / "report.html"
    frames = [
        Frame(page, DESK, opened=True, with_axe=True),
        Frame(page, PHONE),
        Frame(page, PAPER, paper=True),
        Frame(kept, DESK),
        Frame(kept, PHONE),
    ]
    told, console = show(tmp_path, [one.markup for one in frames])
    assert console == []
    for name, found in told.items():
        assert found["overflow"] <= 0 and found["loaded"] == [] and found["small"] == 0, name
    desk, paper = told[f"made-up {DESK}"], told[f"made-up {PAPER}"]
    assert desk["violations"] == desk["incomplete"] == []
    assert desk["scrolled"] == [] and desk["outside"] == paper["outside"] == 0
    assert told[f"reference {DESK}"]["height"] <= 20 * 800
    assert told[f"reference {PHONE}"]["height"] <= 28 * 844


def test_a_dark_page_has_no_white_figures(page, tmp_path):
    told, console = show(
        tmp_path, [Frame(page, PHONE, opened=True, with_axe=True).markup], dark=True
    )
    found = told[f"made-up {PHONE}"]
    assert console == [] and found["white"] == 0
    assert found["violations"] == found["incomplete"] == []
