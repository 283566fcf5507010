"""Draw DNA reading frames and the proteins that the standard genetic code makes of them.

Every protein, and so every frame, stands in one split only. Arrays of sequences.npz, for each of
train, val, test: {split}_x uint8 (N, 3 (longest + 1)) nucleotides, {split}_y uint8 (N, longest + 2)
start, amino acids, end (see seq2seq.genetic_code).
"""

from typing import Self

from pydantic import Field, model_validator

from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.errors import InputError
from raw.about import About
from raw.data_hash import arrays_sha256
from seq2seq.genetic_code import codon_coverage, encode_frames, encode_proteins, random_frames


class Spec(settings.Settings):
    train: int = Field(40000, ge=1, description="pairs for training")
    val: int = Field(1000, ge=1, description="pairs for validation")
    test: int = Field(2000, ge=1, description="pairs for the test")
    shortest: int = Field(4, ge=1, description="amino acids of the shortest protein")
    longest: int = Field(16, ge=1, le=1000, description="amino acids of the longest protein")
    seed: int = Field(0, ge=0, description="seed of the random frames")
    about: About = Field(About(), description="title, licence and so on, for meta.json")

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} is above longest {self.longest}")
        return self


def main() -> None:
    args = settings.arguments(
        __doc__, Spec, inputs={}, outputs={"out": "sequences.npz", "meta": "meta.json"}
    )
    spec = args.spec
    sizes = {"train": spec.train, "val": spec.val, "test": spec.test}
    try:
        pairs = random_frames(sum(sizes.values()), spec.shortest, spec.longest, spec.seed)
    except ValueError as error:
        raise InputError(f"settings train, val, test, shortest, longest: {error}") from None
    arrays, coverage, first = {}, {}, 0
    for split, size in sizes.items():
        frames, proteins = zip(*pairs[first : first + size], strict=True)
        first += size
        arrays[f"{split}_x"] = encode_frames(frames, 3 * (spec.longest + 1))
        arrays[f"{split}_y"] = encode_proteins(proteins, spec.longest)
        coverage[split] = codon_coverage(frames)
    print(f"{sizes}, distinct codons seen: {coverage}")
    write_npz(args.out, **arrays)
    write_json(
        args.meta,
        {
            "dataset": "genetic_code",
            **spec.about.model_dump(),
            "classes": None,
            "sizes": sizes,
            "distinct_codons": coverage,
            "data_sha256": arrays_sha256(arrays),
        },
    )


if __name__ == "__main__":
    settings.run(main)
