"""Train one image classifier (MLP or CNN) under one seed; write its weights and its history.

A part of the training images, drawn by the seed, is held out for validation. An interrupted run
goes on from its checkpoint and ends with the same bytes.
"""

from pipeline import settings
from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.provenance import provenance
from pipeline.weights import save_weights
from raw.image_data import load_meta, load_part
from vision.training import Spec, train


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"images": "images.npz (train_x, train_y are read)", "meta": "its meta.json"},
        outputs={
            "weights": "model.safetensors",
            "history": "history.json",
            "checkpoint": "directory of the checkpoint, removed at the end",
        },
    )
    spec, meta = args.spec, load_meta(args.meta)
    images, labels = load_part(args.images, "train", len(meta["classes"]))
    checkpoint = Checkpoint(args.checkpoint, args.spec_key, args.images, args.meta)
    model, history = train(spec, images, labels, len(meta["classes"]), checkpoint)
    device = next(model.parameters()).device.type
    save_weights(args.weights, model)
    head = {
        "task": "image_classification",
        "dataset": spec.dataset,
        "model": spec.title(),
        "seed": spec.seed,
    }
    origin = {"provenance": provenance(spec.threads, device, ("torch", "numpy"))}
    write_json(args.history, head | history | origin)
    checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
