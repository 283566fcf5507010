"""Build play.html: one self-contained page in which the models of a run can be used.

It loads nothing from anywhere: weights, style and the JavaScript that computes the models (page/)
are in the page.
"""

import json
from collections.abc import Mapping
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

PAGE = Path(__file__).with_name("page")
TEMPLATE = PAGE / "play.html.j2"
# In the order in which they build on each other.
SCRIPTS = (
    "nn.js", "sampling.js", "transformer.js", "gpt.js", "dna.js", "mlp.js", "tokenizers.js",
    "weights.js", "elements.js", "show_translation.js", "show_classifier.js", "show_stories.js",
    "show_images.js", "main.js",
)  # fmt: skip


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run")
    report: str = Field("report.html", description="the report beside the page; empty: none")
    processed: str = Field("data/processed", description="where the prepared data sets are")
    titles: dict[str, str] = Field({}, description="data set -> what people call it")
    ours: Colour = Field("#0072B2", description="colour of this run")
    published: Colour = Field("#D55E00", description="the other colour")


def script() -> str:
    """The page's JavaScript, all files one after another."""
    return "\n".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS)


def page(spec: Spec, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of these exhibits, room -> what `exhibits` returns."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["digest"] = digest
    # A "<" in JSON could end the element that it is in.
    data = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        spec=spec,
        exhibits=found,
        data=Markup(data),
        style=Markup((PAGE / "play.css").read_text(encoding="utf-8")),
        script=Markup(script()),
    )


INPUTS = {"models*": "weights of trained models, <room>/.../<seed>/model.*, the first ones first"}
OUTPUTS = {"out": "play.html"}


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    spec = args.spec
    sources = [Source(str(path.parent), path, path.parent.parent) for path in args.models]
    text = page(spec, exhibits(sources, Path(spec.processed), spec.titles))
    write_text(args.out, text + "\n")
    print(f"{len(text.encode()):,} bytes -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
