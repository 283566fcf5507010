"""Pages of docs/ as notebooks: which cells they become, and what executing them leaves."""

import json
from pathlib import Path

import pytest
from forks import python
from notebooks import imported

from reporting.build_notebook import cells_of, read

PAGE = """# A page

[The log](log.md#speed), [the code](../scripts/x.py), [below](#here), [elsewhere](https://a.org).

```python
>>> from numpy_nn import Linear
>>> x = 2
>>> for _ in range(2):
...     x += 1
...
>>> x
4
>>> x + 1
5
>>> y = 7
```

1. A list.

   ```python
   figures("errors", "mlp")
   ```

   It goes on.

```sh
python -m nothing
```
"""
FIGURES = """
```python
from reporting.notebook import figures
figures("errors", "mlp")
figures("errors", "dna")
```
```python
for word in ("346", " below", " 1/1000"):
    print(word, end="", flush=True)
```
"""


@pytest.fixture
def page(tmp_path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE)
    return tmp_path / "docs" / "page.md"


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "results" / "run" / "notebooks").mkdir(parents=True)
    return tmp_path / "results" / "run" / "notebooks" / "page.ipynb"


def build(page, out):
    words = ("--page", page, "--run", page, "--out", out)
    return python("-m", "reporting.build_notebook", *words)


def test_examples_become_a_cell_for_each_output(page, out):
    cells = [(cell.cell_type, cell.source) for cell in read(page, out).cells]
    assert [source for kind, source in cells if kind == "code"] == [
        "from numpy_nn import Linear\nx = 2\nfor _ in range(2):\n    x += 1\nx",
        "x + 1",
        "y = 7",
        'figures("errors", "mlp")',
    ]
    texts = [source for kind, source in cells if kind == "markdown"]
    assert texts[1:] == ["1. A list.", "   It goes on.\n\n```sh\npython -m nothing\n```"]
    assert list(cells_of("x = 1\n")) == ["x = 1"]


def test_links_lead_from_the_notebook_to_where_they_led(page, out):
    text = read(page, out).cells[0].source
    back = "../../.."
    assert f"[The log]({back}/docs/log.md#speed), [the code]({back}/scripts/x.py)" in text
    assert f"[below]({back}/docs/page.md#here), [elsewhere](https://a.org)" in text


def test_the_code_that_cells_import_is_known(page, repository):
    assert imported(page, repository / "scripts") == ["numpy_nn"]
    page.write_text(FIGURES + "from the start\nimport json\n>>> import torch_nn.muon\n")
    found = ["reporting.notebook", "torch_nn.muon"]
    assert imported(page, repository / "scripts") == found


@pytest.mark.slow
def test_a_notebook_holds_its_run_s_figures_and_is_the_same_again(page, out):
    page.write_text(FIGURES)
    folder = out.parents[1] / "figures" / "errors"
    folder.mkdir(parents=True)
    (folder / "mlp-plain.svg").write_text("<svg/>")
    done = build(page, out)
    assert done.returncode == 0, done.stderr
    cell, printed = json.loads(out.read_text())["cells"]
    (stream,) = printed["outputs"]  # which the kernel sends in parts
    assert stream["text"] == ["346 below 1/1000"]
    image, none = (output["data"] for output in cell["outputs"])
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in "".join(image["text/html"])
    assert "no figures of this kind: dna, errors" in "".join(none["text/markdown"])
    before = out.read_bytes()
    assert build(page, out).returncode == 0 and out.read_bytes() == before


@pytest.mark.slow
def test_a_broken_cell_is_one_clear_line_and_no_notebook(page, out):
    page.write_text("```python\nx = 1\n```\n```python\ny = x\nz = y / 0\n```\n")
    done = build(page, out)
    assert done.returncode == 1 and not out.exists()
    line = f"error: {page}: the cell that begins with 'y = x': ZeroDivisionError: division by zero"
    assert done.stderr.strip().splitlines()[-1] == line
