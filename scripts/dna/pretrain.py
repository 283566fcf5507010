"""Pretrain the DNA encoder: guess hidden nucleotides of the training sequences, without labels.

The weights are those of the classifier, with a head that nothing was learned for: dna.train starts
from the rest. The validation split says how well the guesses get on sequences that were not read;
the last weights are kept. The test split is not read.
"""

import torch

from dna.model import TITLE, build, read_split
from dna.sequences import UNKNOWN
from dna.settings import PretrainSpec
from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.provenance import provenance
from pipeline.seeds import shuffled
from pipeline.torch_setup import setup
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from pipeline.weights import TorchParts, save_weights
from raw.prepared import load_json
from torch_nn.dna_augmentation import augment
from torch_nn.dna_pretraining import NucleotideGuesser
from torch_nn.eval_mode import evaluating
from torch_nn.flops import forward_flops
from torch_nn.optimisation import clipped_step
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle

VAL_SEED = 0  # of the letters that are hidden on the validation split


def guessing_loss(model: NucleotideGuesser, x: torch.Tensor, share: float) -> float:
    """The mean loss on x (N, L) without dropout; the same letters are hidden at each call."""
    with evaluating(model), torch.random.fork_rng():
        torch.manual_seed(VAL_SEED)
        losses = [(model.loss(batch, share).item(), len(batch)) for batch in x.split(512)]
    return sum(loss * size for loss, size in losses) / len(x)


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json"}
    args = settings.arguments(__doc__, PretrainSpec, inputs, TRAINING_OUTPUTS)
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    meta = load_json(args.meta, ("dataset", "classes"))
    (x, _), (val_x, _) = (read_split(args.data, split, device) for split in ("train", "val"))

    classifier = build(spec.model, x.size(1), len(meta["classes"]))
    model = NucleotideGuesser(classifier).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), spec.lr, weight_decay=spec.weight_decay)
    per_epoch = -(-len(x) // spec.batch_size)  # the last batch may be smaller
    steps = spec.epochs * per_epoch
    rate = one_cycle(steps, int(spec.warmup_share * steps), final=spec.min_lr_share)
    origin = provenance(spec.threads, device.type, ("torch", "numpy"))
    parts = TorchParts(device, model=model, optimizer=optimizer)
    checkpoint = Checkpoint.of(args, args.data, args.meta)
    run = TrainingRun(args.history, parts, checkpoint, steps, per_epoch, provenance=origin)

    for step in run:
        epoch, position = divmod(step, per_epoch)
        order = shuffled(len(x), spec.seed, epoch)
        batch = torch.from_numpy(order[position * spec.batch_size :][: spec.batch_size]).to(device)
        letters = augment(x[batch], UNKNOWN, spec.largest_shift, 0, 0, spec.both_strands)
        lr = spec.lr * rate(step)
        value = clipped_step(
            model, optimizer, model.loss(letters, spec.guessed_share), lr, spec.clip
        )
        run.record_step(lr, weight=len(batch), loss=value)
        if run.due(per_epoch):
            run.record(val_loss=guessing_loss(model, val_x, spec.guessed_share))

    save_weights(args.weights, classifier)
    run.finish(
        task="masked_nucleotides",
        dataset=meta["dataset"],
        model=TITLE,
        seed=spec.seed,
        parameters=parameter_count(model),
        train_flops=3 * forward_flops(model.classifier, x[:1]) * len(x) * spec.epochs,
    )


if __name__ == "__main__":
    settings.run(main)
