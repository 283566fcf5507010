"""Draw DNA reading frames and the proteins that the standard genetic code makes of them.

Every protein, and so every frame, is in one split only. Arrays of sequences.npz, for each of
train, val, test: {split}_x uint8 (N, 3 (longest + 1)) nucleotides, {split}_y uint8 (N, longest + 2)
start, amino acids, end (see seq2seq.genetic_code). long_x, long_y: as many pairs as test has, of
proteins that are longer than any of those, up to twice as long.
"""

from itertools import islice

from pipeline import settings
from pipeline.atomic import write_json, write_npz
from raw.prepared import arrays_sha256
from seq2seq.genetic_code import codon_coverage, encode_frames, encode_proteins, random_frames
from seq2seq.settings import PrepareSpec


def main() -> None:
    outputs = {"out": "sequences.npz", "meta": "meta.json"}
    args = settings.arguments(__doc__, PrepareSpec, {}, outputs)
    spec = args.spec
    sizes = {"train": spec.train, "val": spec.val, "test": spec.test}
    pairs = iter(random_frames(sum(sizes.values()), spec.shortest, spec.longest, spec.seed))
    arrays, coverage = {}, {}
    for split, size in sizes.items():
        frames, proteins = zip(*islice(pairs, size), strict=True)
        arrays[f"{split}_x"] = encode_frames(frames, 3 * (spec.longest + 1))
        arrays[f"{split}_y"] = encode_proteins(proteins, spec.longest)
        coverage[split] = codon_coverage(frames)
    long = random_frames(spec.test, spec.longest + 1, 2 * spec.longest, spec.seed)
    frames, proteins = zip(*long, strict=True)
    arrays["long_x"] = encode_frames(frames, 3 * (2 * spec.longest + 1))
    arrays["long_y"] = encode_proteins(proteins, 2 * spec.longest)
    print(f"{sizes}, distinct codons seen: {coverage}")
    write_npz(args.out, **arrays)
    meta = {"dataset": "genetic_code", **spec.about.model_dump(), "classes": None, "sizes": sizes}
    meta |= {"distinct_codons": coverage, "data_sha256": arrays_sha256(arrays)}
    write_json(args.meta, meta)


if __name__ == "__main__":
    settings.run(main)
