"""Pages in a browser without a window, for tests: what they tell of themselves, what axe finds.

Pages are shown in frames of a page that collects what each of them tells: a frame's script calls
parent.postMessage({name, ...}) once. Where there is no Chromium (`apt-get install chromium`), the
tests are skipped.
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
NEEDED = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not AXE, reason="no axe: pip install -r requirements-dev.txt"),
]
DESK, PHONE = 1280, 390  # pixels
# After axe() and a function tell(more). Letters in charts have no background that axe could find;
# what they are called, it does check.
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


def axe() -> str:
    """axe-core, as a script."""
    return Path(AXE.submodule_search_locations[0], "axe.min.js").read_text("utf-8")


def framed(text: str, width: int, script: str) -> str:
    """A page in a frame so many pixels wide, with a script at its end."""
    # The page's policy admits its own script alone.
    text = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", text)
    inner = html.escape(text.replace("</body>", f"<script>{script}</script></body>"))
    return f'<iframe width="{width}" height="844" style="border:0" srcdoc="{inner}"></iframe>'


def show(folder: Path, frames: list[str], dark: bool = False) -> tuple[dict[str, dict], list[str]]:
    """(what each frame told, by its name, the console's messages)."""
    collect = COLLECT.replace("COUNT", str(len(frames)))
    parts = [f'<pre id="all"></pre><script>{collect}</script>', *frames]
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
