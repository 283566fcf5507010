"""The commands of `nn`: their words, options and help.

Each imports what it runs when it runs, so that help and completion answer at once.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.errors import NOT_READABLE, InputError


class Commands(TyperGroup):
    """Commands whose bad input is one line and status 1; a wrong word or option is status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            told = str(error)
        except OSError as error:
            if error.errno not in NOT_READABLE:
                raise
            told = str(error)
        typer.echo(f"error: {told}", err=True)
        raise typer.Exit(1)


def known_runs(incomplete: str) -> Iterator[str]:
    """The runs that a shell offers."""
    from cli.catalogue import run_names

    yield from (name for name in run_names() if name.startswith(incomplete))


def known_models(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The models of the run that was typed before."""
    from cli.catalogue import models

    try:
        names = [model.name for model in models(ctx.params["run"])]
    except (InputError, KeyError):
        return
    yield from (name for name in names if name.startswith(incomplete))


app = typer.Typer(
    cls=Commands,
    help="Use what the pipeline has trained: runs are folders of results/; the run `reference`"
    " comes with the repository.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
dna = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dna, name="dna", help="Use a trained classifier of DNA.")

Run = Annotated[str, typer.Argument(help="a run of results/", autocompletion=known_runs)]
RunOrFile = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="a run of results/, or a file of weights", autocompletion=known_runs
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--model", help="which model: some of its folders", autocompletion=known_models),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs. When each finished, and how many trained models it holds."""
    from cli import runs as command

    command.main(as_json)


@app.command()
def leaderboard(run: Run, as_json: Json = False) -> None:
    """Show what a run achieved. Beside it the best published results; as JSON, all rows."""
    from cli import leaderboard as command

    command.main(run, as_json)


@app.command()
def write(
    run: RunOrFile,
    prompt: Annotated[str | None, typer.Option(help="what is continued")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="longest continuation")] = 300,
    temperature: Annotated[
        float, typer.Option(min=0, max=100, help="0: always the likeliest token")
    ] = 0.7,
    top_p: Annotated[
        float, typer.Option(min=0.001, max=1, help="draw from the likeliest of this mass")
    ] = 0.9,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="the same text again; default: new")
    ] = None,
    model: Name = None,
    as_json: Json = False,
) -> None:
    """Let a language model write, word by word. Of several models the largest writes."""
    from cli import write as command
    from gpt.settings import Way

    way = Way(temperature=temperature, top_p=top_p)
    command.main(run, prompt, model, tokens, way, seed, as_json)


@app.command()
def classify(
    run: RunOrFile,
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="PNG or JPEG files")],
    model: Name = None,
    invert: Annotated[
        bool, typer.Option("--invert", help="dark on light, for a model of light on dark")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is on pictures. Of several models the first of Part 1 that reads pixels answers."""
    from cli import classify as command

    command.main(run, pictures, model, invert, as_json)


@dna.command()
def predict(
    run: RunOrFile,
    sequences: Annotated[Path, typer.Argument(metavar="FILE", help="FASTA, CSV or TSV; .gz too")],
    model: Name = None,
    out: Annotated[Path | None, typer.Option(help="CSV; default: the standard output")] = None,
    column: Annotated[str | None, typer.Option(help="of a table: where the sequences are")] = None,
    as_json: Json = False,
) -> None:
    """Classify sequences, any number of them: a line for each, with the class and all p."""
    from cli import predict as command

    command.main(run, sequences, model, out, column, as_json)


@app.command()
def translate(
    run: RunOrFile,
    frames: Annotated[list[str], typer.Argument(metavar="DNA...", help="reading frames: ATG...")],
    model: Name = None,
    as_json: Json = False,
) -> None:
    """Translate DNA into protein. It also says where the genetic code says something else."""
    from cli import translate as command

    command.main(run, frames, model, as_json)


@app.command()
def play(
    run: Run,
    out: Annotated[Path, typer.Option(help="page to write")] = Path("play.html"),
) -> None:
    """Make a page in which the models of a run can be used. A browser computes them by itself."""
    from cli import play as command

    command.main(run, out)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="a run", autocompletion=known_runs)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="another run", autocompletion=known_runs)
    ],
    as_json: Json = False,
) -> None:
    """Say which differences of two runs are real. The others are noise."""
    from cli import compare as command

    command.main(first, second, as_json)


@app.command()
def export(
    run: Run,
    model: Annotated[str, typer.Argument(help="some of its folders", autocompletion=known_models)],
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="file to write")],
) -> None:
    """Write a model of Part 2 as ONNX. onnxruntime checks it against the original."""
    from cli import export as command

    command.main(run, model, out)


def main() -> None:
    """What `nn` runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter gets a "?"
    app(prog_name="nn")
