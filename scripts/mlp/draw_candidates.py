"""Draw the candidates of the halving search: at random, under a seed, from a space of values.

Random search (Bergstra and Bengio 2012, JMLR 13, 281-305) is what successive halving starts from.
Each key takes one of its values, all equally likely; no candidate is drawn twice. Those of
`include` come first. A longer list under the same seed begins with the shorter one.
"""

import math

from mlp.settings import DrawSpec
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.seeds import generator


def draw(spec: DrawSpec) -> list[dict]:
    """The candidates' settings. Raises InputError if the space holds too few different ones."""
    keys = sorted(spec.space)
    sizes = [len(spec.space[key]) for key in keys]
    drawn = list(spec.include[: spec.candidates])
    inside = [c for c in drawn if sorted(c) == keys and all(c[k] in spec.space[k] for k in keys)]
    most = len(drawn) + math.prod(sizes) - len(inside)
    if spec.candidates > most:
        found = spec.candidates
        raise InputError(f"candidates: expected at most {most} of this space, found {found}")
    rng = generator(spec.seed, "candidates")
    while len(drawn) < spec.candidates:
        indices = rng.integers(0, sizes) if keys else []
        candidate = {k: spec.space[k][i] for k, i in zip(keys, indices, strict=True)}
        if candidate not in drawn:
            drawn.append(candidate)
    return drawn


def main() -> None:
    args = settings.arguments(__doc__, DrawSpec, inputs={}, outputs={"out": "candidates.json"})
    found = draw(args.spec)
    candidates = [{"candidate": f"c{k:02d}", "settings": one} for k, one in enumerate(found)]
    drawn = {"dataset": args.spec.dataset, "seed": args.spec.seed, "candidates": candidates}
    write_json(args.out, drawn)
    print(f"{len(found)} candidates, {len(args.spec.include)} of them included by hand")


if __name__ == "__main__":
    settings.run(main)
