"""Train the GPT by hand (numpy_nn.gpt) on a stream of tokens; keep its last weights."""

import numpy as np

from gpt.numpy_model import build, optimiser_of, rate, save, title, train_step, window_nats
from gpt.settings import NumpyTrainSpec
from gpt.token_windows import covering_windows, load_tokens, random_windows
from numpy_nn.flops import forward_flops
from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.numpy_parts import NumpyParts
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from raw.prepared import load_json

INPUTS = {"train": "train.npy", "val": "val.npy", "meta": "meta.json of the text"}


def main() -> None:
    args = settings.arguments(__doc__, NumpyTrainSpec, INPUTS, TRAINING_OUTPUTS)
    spec, context = args.spec, args.spec.model.context
    tokens = load_tokens(args.train, context)
    val = load_tokens(args.val, context)[: spec.eval_tokens + 1]
    vocab_size = load_json(args.meta, ("vocab_size",))["vocab_size"]

    model = build(spec.model, vocab_size, generator(spec.seed, "weights"))
    optimiser = optimiser_of(model, spec)
    parts = NumpyParts(model=model, optimiser=optimiser)
    per_epoch = len(tokens) / (spec.batch_size * context)
    origin = provenance(spec.threads, packages=("numpy",))
    checkpoint = Checkpoint.of(args, args.train, args.val, args.meta)
    run = TrainingRun(args.history, parts, checkpoint, spec.steps, per_epoch, provenance=origin)
    for step in run:
        optimiser.lr = rate(step, spec)
        drawn = generator(spec.seed, "batch", step)
        inputs, targets = random_windows(tokens, drawn, spec.batch_size, context)  # (B, T) each
        value = train_step(model, optimiser, inputs, targets, spec.clip)
        run.record_step(optimiser.lr, loss=value)
        if run.due(spec.eval_every):
            nats, counts = window_nats(model, covering_windows(val, context, context))
            run.record(val_loss=float(nats.sum() / counts.sum()))

    save(args.weights, model)
    window = np.zeros((1, context), np.int64)
    run.finish(
        task="language_modelling",
        dataset=spec.dataset,
        model=title(model),
        seed=spec.seed,
        best_step=run.step,
        parameters=sum(parameter.value.size for parameter in model.parameters()),
        train_flops=3 * forward_flops(model, window) * run.step * spec.batch_size,
    )


if __name__ == "__main__":
    settings.run(main)
