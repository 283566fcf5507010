"""What dna.choose chose, read by the training."""

from pathlib import Path

from dna.settings import Candidate, TrainSpec
from pipeline.errors import InputError
from pipeline.read_json import read_json


def chosen(spec: TrainSpec, path: Path) -> TrainSpec:
    """The settings of a training with the model and the strands that choice.json names.

    Raises InputError if it names none of spec.candidates.
    """
    number = read_json(path, ["candidate"])["candidate"]
    if number not in range(len(spec.candidates)):
        wrong = f"expected a candidate below {len(spec.candidates)}, found {number!r}"
        raise InputError(f"{path}: {wrong}. Delete the file and run again.")
    best = spec.candidates[number]
    return spec.model_copy(update={name: getattr(best, name) for name in Candidate.model_fields})
