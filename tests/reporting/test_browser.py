"""The report in a browser: light, dark, on a phone, on paper; nothing overflows, axe finds nothing.

Chromium is started without a window; pages are shown in frames of a page that collects what each of
them measures. Where there is no Chromium (`apt-get install chromium`), the tests are skipped.
"""

import html
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
AXE = importlib.util.find_spec("axe_core_python")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not AXE, reason="no axe: pip install -r requirements-dev.txt"),
]
DESK, PHONE, PAPER = 1280, 390, 718  # Pixels; A4 inside its margins.

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
# Letters in charts have no background that axe could find; what they are called, it does check.
RUN_AXE = """
axe.run({include: [["html"]], exclude: [["svg text"]]}, {resultTypes: ["violations", "incomplete"]})
  .then((all) => tell(Object.fromEntries(["violations", "incomplete"].map((kind) =>
    [kind, all[kind].filter((one) => one.nodes.length).map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3)}`)]))))
  .catch((error) => tell({violations: [String(error)]}));
"""  # noqa: E501
COLLECT = """
const all = document.getElementById("all"), told = {};
addEventListener("message", (event) => {
  told[event.data.name] = event.data;
  if (Object.keys(told).length === COUNT) all.textContent = JSON.stringify(told);
});
"""


class Frame:
    """A page in a frame `width` pixels wide. opened: with all its details; paper: as printed."""

    def __init__(self, page: Path, width: int, opened=False, paper=False, axe=False):
        text = page.read_text(encoding="utf-8")
        # The page's policy admits its own script alone.
        text = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", text)
        text = text.replace("@media print", "@media all") if paper else text
        steps = [f"const NAME = {json.dumps(self.named(page, width))};", MEASURE]
        if opened:
            steps.insert(
                0, 'document.querySelectorAll("details").forEach((d) => { d.open = true; });'
            )
        if axe:
            source = Path(AXE.submodule_search_locations[0], "axe.min.js").read_text("utf-8")
            steps = [source, *steps, RUN_AXE]
        else:
            steps.append("tell({});")
        scripts = "".join(f"<script>{step}</script>" for step in ["\n".join(steps)])
        inner = html.escape(text.replace("</body>", f"{scripts}</body>"))
        self.markup = (
            f'<iframe width="{width}" height="844" style="border:0" srcdoc="{inner}"></iframe>'
        )

    @staticmethod
    def named(page: Path, width: int) -> str:
        return f"{page.parent.name} {width}"


def show(
    folder: Path, frames: list[Frame], dark: bool = False
) -> tuple[dict[str, dict], list[str]]:
    """(what each frame measured, the console's messages)."""
    collect = COLLECT.replace("COUNT", str(len(frames)))
    parts = [f'<pre id="all"></pre><script>{collect}</script>', *(one.markup for one in frames)]
    (folder / "frames.html").write_text(f'<!DOCTYPE html><meta charset="utf-8">{"".join(parts)}')
    words = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}", f"--window-size={DESK},844",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--virtual-time-budget=120000", "--dump-dom", (folder / "frames.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    told = re.search(r'<pre id="all">(.+?)</pre>', done.stdout, re.S)
    assert told, done.stderr
    console = [line for line in done.stderr.splitlines() if ":CONSOLE:" in line]
    return json.loads(html.unescape(told[1])), console


@pytest.fixture(scope="module")
def page(finished) -> Path:
    return finished.folder / "report.html"


def test_on_a_desk_a_phone_and_paper_nothing_is_cut_off(page, repository, tmp_path):
    kept = repository / "results" / "reference" / "report.html"
    frames = [
        Frame(page, DESK, opened=True, axe=True),
        Frame(page, PHONE),
        Frame(page, PAPER, paper=True),
        Frame(kept, DESK),
        Frame(kept, PHONE),
    ]
    told, console = show(tmp_path, frames)
    assert console == []
    for name, found in told.items():
        assert found["overflow"] <= 0 and found["loaded"] == [] and found["small"] == 0, name
    desk, paper = told[f"made-up {DESK}"], told[f"made-up {PAPER}"]
    assert desk["violations"] == desk["incomplete"] == []
    assert desk["scrolled"] == [] and desk["outside"] == paper["outside"] == 0
    assert told[f"reference {DESK}"]["height"] <= 20 * 800
    assert told[f"reference {PHONE}"]["height"] <= 28 * 844


def test_a_dark_page_has_no_white_figures(page, tmp_path):
    told, console = show(tmp_path, [Frame(page, PHONE, opened=True, axe=True)], dark=True)
    found = told[f"made-up {PHONE}"]
    assert console == [] and found["white"] == 0
    assert found["violations"] == found["incomplete"] == []
