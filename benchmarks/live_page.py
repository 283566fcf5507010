"""How fast the language model of a live page writes in a browser, on one core.

nn play reference
.venv/bin/python benchmarks/live_page.py play.html
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The page's own functions, again and again with another seed, without a pause for drawing.
MEASURE = """
const { model, tokenizer } = shown.gpt;
const given = [tokenizer.separator ?? 0, ...tokenizer.encode("Once upon a time")];
const began = performance.now();
let characters = 0;
for (let seed = 1; seed <= 5; seed++) {
  const way = { temperature: 0.7, topP: 0.9, seed, stop: tokenizer.separator, most: 150 };
  for (const { token } of write(model, given, way)) characters += tokenizer.bytes(token).length;
}
const seconds = (performance.now() - began) / 1000;
document.title = `${characters} characters in ${seconds.toFixed(1)} s: ` +
  `${(characters / seconds).toFixed(0)} per second`;
"""


def main() -> None:
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    page = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", page)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "play.html")
        path.write_text(page.replace("</body>", f"<script>{MEASURE}</script></body>"), "utf-8")
        words = [
            shutil.which("chromium") or "google-chrome", "--headless", "--no-sandbox",
            "--disable-gpu", f"--user-data-dir={folder}/profile", "--dump-dom", path.as_uri(),
        ]  # fmt: skip
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    print(re.search(r"<title>(.*?)</title>", shown)[1])


if __name__ == "__main__":
    main()
