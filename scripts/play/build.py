"""Build play.html: one self-contained page in which the models of a run can be used.

It loads nothing from anywhere: weights, style and the JavaScript that computes the models (page/)
are in the page.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_text
from play.exhibits import Source, exhibits
from reporting.policy import digest
from reporting.settings import Colour


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run")
    report: str = Field("report.html", description="the report beside the page; empty: none")
    processed: str = Field("data/processed", description="where the prepared data sets are")
    titles: dict[str, str] = Field({}, description="data set -> what people call it")
    ours: Colour = Field("#0072B2", description="colour of this run")
    published: Colour = Field("#D55E00", description="the other colour")


def page(spec: Spec, found: Mapping[str, Mapping[str, Any]], files: Sequence[Path]) -> str:
    """The page of these exhibits, room -> what `exhibits` returns.

    files: its template (.j2), style and scripts, whose order the template knows.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["digest"] = digest
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    template = next(text for name, text in texts.items() if name.endswith(".j2"))
    # A "<" in JSON could end the element that it is in.
    data = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return environment.from_string(template).render(
        spec=spec,
        exhibits=found,
        data=Markup(data),
        files={name: Markup(text) for name, text in texts.items()},
    )


INPUTS = {
    "models*": "weights of trained models, <room>/.../<seed>/model.*",
    "page*": "what the page is made of: its template, style and scripts",
}
OUTPUTS = {"out": "play.html"}


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    spec = args.spec
    sources = [Source(str(path.parent), path, path.parent.parent) for path in args.models]
    text = page(spec, exhibits(sources, Path(spec.processed), spec.titles), args.page)
    write_text(args.out, text + "\n")
    print(f"{len(text.encode()):,} bytes -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
