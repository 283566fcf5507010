"""Train the selected candidate on the whole training part, under one seed.

Continues from its checkpoint if a run with the same settings, code and inputs was stopped; the
result is then the same to the last bit. The test part is not read.
"""

import json
import time

from pydantic import Field

from datasets.image_data import load_meta, load_part
from numpy_nn.training import TrainingDiverged
from pipeline import settings
from pipeline.atomic import write_json, write_npz
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.provenance import provenance
from rooms.mlp_recipe import Candidate, Recipe

SAVE_EVERY = 15.0  # seconds of training between checkpoints


class Spec(Recipe):
    dataset: str = Field("fashion_mnist", description="name of the data set, for the record")
    seed: int = Field(1, ge=0, description="seed of weights, order and dropout")
    epochs: int = Field(40, ge=1, description="passes over the training part")
    threads: int = Field(1, ge=1, description="BLAS threads, for the record: the rule sets them")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={
            "data": "images.npz of a prepared data set",
            "meta": "its meta.json",
            "selection": "selection.json",
        },
        outputs={
            "model": "weights, .npz",
            "history": "history.json: the curve, seconds, provenance",
            "checkpoint?": "directory of the checkpoint",
        },
    )
    spec: Spec = args.spec
    selected = json.loads(args.selection.read_text(encoding="utf-8"))["selected"]
    candidate = Candidate.model_validate(selected)
    classes = len(load_meta(args.meta)["classes"])
    x, y = load_part(args.data, "train", classes)
    training = spec.build_training(
        candidate, x, y, classes=classes, epochs=spec.epochs, seed=spec.seed
    )
    curve: list[dict] = []
    checkpoint = None
    if args.checkpoint:
        checkpoint = Checkpoint(args.checkpoint, args.spec_key, args.data, args.selection)
        if stored := checkpoint.load():
            arrays, meta = stored
            training.load_state(arrays, meta["training"])
            curve = meta["curve"]
            print(f"resumed after epoch {training.epoch}", flush=True)
    saved = time.perf_counter()
    while not training.finished:
        try:
            curve.append(training.run_epoch())
        except TrainingDiverged as error:
            raise InputError(str(error)) from None
        print(curve[-1], flush=True)
        if checkpoint and time.perf_counter() - saved > SAVE_EVERY:
            arrays, meta = training.state()
            checkpoint.save(arrays, {"training": meta, "curve": curve})
            saved = time.perf_counter()
    parameters = training.model.parameters()
    widths = [x[0].size, *(p.value.shape[1] for p in parameters if p.value.ndim == 2)]
    write_npz(args.model, **training.model.state_dict())
    write_json(
        args.history,
        {
            "task": "image_classification",
            "dataset": spec.dataset,
            "model": f"MLP {'-'.join(map(str, widths))}",
            "seed": spec.seed,
            "candidate": selected,
            "curve": curve,
            "seconds": training.seconds,
            "parameters": sum(p.value.size for p in parameters),
            "provenance": provenance(spec.threads, packages=("numpy",)),
        },
    )
    if checkpoint:
        checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
