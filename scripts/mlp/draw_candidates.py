"""Draw the candidates of the halving search: at random, under a seed, from a space of values.

Random search (Bergstra and Bengio 2012, JMLR 13, 281-305) is what successive halving starts from.
Each key takes one of its values, all equally likely; no candidate is drawn twice. Those of
`include` come first, as they are. A longer list under the same seed begins with the shorter one.
"""

import json
import math

from pydantic import Field, JsonValue

from mlp.recipe import Recipe
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.seeds import generator


class Spec(settings.Settings):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    seed: int = Field(0, ge=0, description="seed of the draws")
    candidates: int = Field(24, ge=1, description="how many, the included ones among them")
    space: dict[str, list[JsonValue]] = Field(
        {"lr": [0.01, 0.1]}, description="key of a recipe -> its values"
    )
    include: list[dict[str, JsonValue]] = Field([], description="candidates that are there anyway")


def draw(spec: Spec) -> list[dict]:
    """The candidates' settings. Raises InputError if the space holds too few different ones."""
    keys = sorted(spec.space)
    sizes = [len(spec.space[key]) for key in keys]
    for key in keys:
        if len({json.dumps(value) for value in spec.space[key]}) < len(spec.space[key]):
            raise InputError(f"space: {key}: expected each value once, found {spec.space[key]}")
    drawn = list(spec.include[: spec.candidates])
    inside = [c for c in drawn if sorted(c) == keys and all(c[k] in spec.space[k] for k in keys)]
    free = math.prod(sizes) - len(inside)
    if free < spec.candidates - len(drawn):
        raise InputError(
            f"candidates: expected at most {free + len(drawn)}, which the space and `include`"
            f" hold, found {spec.candidates}"
        )
    rng = generator(spec.seed, "candidates")
    while len(drawn) < spec.candidates:
        indices = rng.integers(0, sizes) if keys else []
        candidate = {k: spec.space[k][i] for k, i in zip(keys, indices, strict=True)}
        if candidate not in drawn:
            drawn.append(candidate)
    return drawn


def main() -> None:
    args = settings.arguments(__doc__, Spec, inputs={}, outputs={"out": "candidates.json"})
    found = draw(args.spec)
    for candidate in found:
        Recipe().changed(candidate)
    write_json(
        args.out,
        {
            "dataset": args.spec.dataset,
            "seed": args.spec.seed,
            "candidates": [
                {"candidate": f"c{index:02d}", "settings": candidate}
                for index, candidate in enumerate(found)
            ],
        },
    )
    print(f"{len(found)} candidates, {len(args.spec.include)} of them included by hand")


if __name__ == "__main__":
    settings.run(main)
