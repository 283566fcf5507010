"""Make a notebook of a page of docs/, and execute it: its Python blocks become cells.

A block of examples, as doctest reads them (`>>> x`), becomes a cell for each of its outputs, which
the notebook computes itself. Any other Python block is one cell. The rest is text, whose links lead
to the same places as those of the page. Cells run in the notebook's folder, in a kernel of this
Python that reads no configuration of the user. An error in a cell ends the program with one line.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from doctest import DocTestParser
from pathlib import Path

import nbclient
import nbformat
from markdown_it import MarkdownIt
from nbclient.exceptions import CellControlSignal, DeadKernelError
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from pipeline.errors import InputError

SECONDS = 300  # The longest that a cell may take: less than the job may.
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class Spec(settings.Settings):
    modules: dict[str, str] = Field({}, description="the code that cells import: name -> hash")


INPUTS = {
    "page": "page of docs/, in Markdown",
    "run*": "files of the run that cells read",
}
OUTPUTS = {"out": "the notebook, results/<run>/notebooks/<page>.ipynb"}


def cells_of(block: str) -> Iterator[str]:
    """The source of the cells that a Python block becomes."""
    examples = DocTestParser().get_examples(block)
    if not examples:
        yield block.strip()
    source = ""
    for example in examples:
        source += example.source
        if example.want or example is examples[-1]:
            yield source.strip()
            source = ""


def relinked(text: str, page: Path, out: Path) -> str:
    """`text` of `page` with links that lead to the same places from `out`."""

    def relative(link: re.Match) -> str:
        name, _, place = link[1].partition("#")
        target = os.path.relpath(page.parent / (name or page.name), out.parent)
        return f"]({target}{'#' * bool(place)}{place})"

    return re.sub(r"\]\((?!\w+:)([^)\s]+)\)", relative, text)


def read(page: Path, out: Path) -> nbformat.NotebookNode:
    """The notebook `out` of a page, not executed yet."""
    text = page.read_text(encoding="utf-8")
    lines, done = text.splitlines(), 0
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})

    def add(kind: str, source: str) -> None:
        # Numbered: the names that nbformat draws differ each time.
        cell = getattr(nbformat.v4, f"new_{kind}_cell")
        notebook.cells.append(cell(source, id=f"cell-{len(notebook.cells) + 1}"))

    def add_text(end: int) -> None:
        if told := "\n".join(lines[done:end]).strip("\n"):
            add("markdown", relinked(told, page, out))

    for token in MarkdownIt().parse(text):
        if token.type == "fence" and token.info.strip() == "python":
            add_text(token.map[0])
            for source in cells_of(token.content):
                add("code", source)
            done = token.map[1]
    add_text(len(lines))
    return notebook


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run the cells in `folder` and fill in their outputs, until one fails."""
    modules = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, modules)))
    with tempfile.TemporaryDirectory() as own:
        names = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        os.environ.update(dict.fromkeys(names, own))
        # Other kernels of this name that an administrator may have installed.
        os.environ.update(dict.fromkeys(("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"), ""))
        where = {"metadata": {"path": str(folder)}}
        client = nbclient.NotebookClient(
            notebook, timeout=SECONDS, record_timing=False, resources=where,
            coalesce_streams=True,  # Where a stream is cut is chance.
        )  # fmt: skip
        client.create_kernel_manager()
        # Sockets in a folder of its own: no port of the machine is opened.
        client.km.transport, client.km.connection_file = "ipc", f"{own}/kernel"
        client.execute()


def failure(notebook: nbformat.NotebookNode, error: Exception) -> str:
    """One line: the first line of the last cell that was started, and what went wrong in it."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = max(sum(bool(cell.execution_count) for cell in cells), 1)
    name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
    told = " ".join(f"{name}: {value}".split())
    return f"the cell that begins with {cells[started - 1].source.splitlines()[0]!r}: {told}"


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    notebook = read(args.page, args.out)
    try:
        execute(notebook, args.out.parent)
    except (CellControlSignal, DeadKernelError) as error:
        raise InputError(f"{args.page}: {failure(notebook, error)}") from None
    write_text(args.out, nbformat.writes(notebook) + "\n")
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    print(f"{cells} cells of code executed -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
