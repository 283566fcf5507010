"""`nn translate RUN ATG...`: the encoder-decoder reads DNA and writes its protein."""

import sys

import torch

from cli.catalogue import fitting, only
from cli.tables import show_json
from pipeline.errors import InputError
from seq2seq.genetic_code import (
    NUCLEOTIDES,
    TARGET_END,
    TARGET_START,
    decode_protein,
    encode_frames,
    translate,
)
from seq2seq.stored_model import load
from torch_nn.decoding import greedy_decode


def read_frame(text: str) -> str:
    """A frame in capitals, U as T. Raises InputError for other letters, or fewer than three."""
    frame = text.upper().replace("U", "T")
    if strange := [letter for letter in frame if letter not in NUCLEOTIDES]:
        place = f"{strange[0]!r} as letter {frame.index(strange[0]) + 1} of {len(frame)}"
        raise InputError(f"{text[:40]}: expected the letters A, C, G and T, found {place}")
    if len(frame) < 3:
        raise InputError(f"{text!r}: expected a frame of three letters or more")
    return frame


def by_the_code(frame: str) -> str | None:
    """What the genetic code makes of a frame; None if it has no stop or half a codon."""
    try:
        return translate(frame)
    except ValueError:
        return None


def main(run: str, texts: list[str], name: str | None, as_json: bool) -> None:
    """Print the protein of each frame, beside what the genetic code says."""
    frames = [read_frame(text) for text in texts]
    chosen = only(fitting(run, ["seq2seq"], name))
    longest = max(map(len, frames))
    torch.set_num_threads(1)
    model, about = load(chosen.path, longest)
    if longest > about.source_length:
        trained = f"the model was trained on at most {about.source_length} letters"
        print(f"{trained}, and may not know what to make of {longest}", file=sys.stderr)
    found = []
    for frame in frames:
        source = torch.from_numpy(encode_frames([frame], len(frame))).long()  # (1, Ts)
        most = len(frame) // 3 + 1
        written = greedy_decode(model, source, TARGET_START, TARGET_END, most)  # (1, <= most)
        protein, code = decode_protein(written[0].tolist()), by_the_code(frame)
        found.append({"frame": frame, "protein": protein, "genetic_code": code})
    if as_json:
        show_json(found)
        return
    for one in found:
        print(one["protein"])
        if one["genetic_code"] is None:
            print("not a whole frame: expected codons that end in a stop", file=sys.stderr)
        elif one["genetic_code"] != one["protein"]:
            print(f"the genetic code says {one['genetic_code']}", file=sys.stderr)
