"""Train the encoder-only Transformer to classify DNA sequences, with one seed.

In each step the training sequences are shifted, mutated and partly hidden at random. The weights,
averaged over the steps, are kept from the epoch with the lowest validation loss; training ends
early after `patience` epochs without a lower one. Where one class is rare (balance_below), each
class has the same weight in the losses. The test split is not read.
"""

import copy
import math
from operator import itemgetter

import torch
from torch.nn.functional import cross_entropy, nll_loss

from dna.choice import chosen
from dna.model import TITLE, build, predict_views, read_split
from dna.sequences import PAD, UNKNOWN
from dna.settings import TrainSpec
from dna.stored_model import OF_DATA, describe
from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.classification_metrics import accuracy, matthews
from pipeline.provenance import provenance
from pipeline.seeds import shuffled
from pipeline.torch_setup import setup
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from pipeline.weights import TorchParts, load_weights, save_weights
from raw.prepared import load_json
from torch_nn.dna_augmentation import augment
from torch_nn.dna_tokens import BytePairs
from torch_nn.flops import forward_flops
from torch_nn.optimisation import clipped_step, weight_average
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle


def class_weights(y: torch.Tensor, classes: int, balance_below: float) -> torch.Tensor | None:
    """Weights (K,) that make all classes of labels y (N,) count alike, or None.

    None unless the rarest class has less than balance_below of an even share, which is N / K.
    """
    count = torch.bincount(y, minlength=classes).clamp_min(1)  # (K,)
    even = len(y) / classes
    return even / count if count.min() < balance_below * even else None


def main() -> None:
    inputs = {"data": "sequences.npz", "meta": "meta.json", "choice?": "choice.json of dna.choose"}
    inputs |= {"start?": "weights to start from, all but the head's: model.safetensors"}
    args = settings.arguments(__doc__, TrainSpec, inputs, TRAINING_OUTPUTS)
    spec = chosen(args.spec, args.choice) if args.choice else args.spec
    device = setup(spec.seed, spec.threads)
    meta = load_json(args.meta, OF_DATA)
    x, y = read_split(args.data, "train", device)
    val_x, val_y = read_split(args.data, "val", device)

    model = build(spec.model, x.size(1), len(meta["classes"])).to(device)
    if args.start:
        load_weights(args.start, model)
        model.head.reset_parameters()
    elif isinstance(model.tokens, BytePairs):
        model.tokens.learn(x)
    average, best = weight_average(model, spec.average_decay), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), spec.lr, weight_decay=spec.weight_decay)

    per_epoch = -(-len(x) // spec.batch_size)  # the last batch may be smaller
    epochs = spec.epochs
    if spec.most_letters:
        epochs = min(epochs, max(1, spec.most_letters // int((x != PAD).sum())))
    steps = epochs * per_epoch
    weights = class_weights(y, len(meta["classes"]), spec.balance_below)
    if weights is not None:
        told = zip(meta["classes"], weights.tolist(), strict=True)
        print("weights in the loss: " + ", ".join(f"{name} {w:.2f}" for name, w in told))
    rate = one_cycle(steps, int(spec.warmup_share * steps), final=spec.min_lr_share)
    origin = provenance(spec.threads, device.type, ("torch", "numpy"))
    parts = TorchParts(device, model=model, average=average, best=best, optimizer=optimizer)
    files = args.data, args.meta, *([args.start] if args.start else [])
    checkpoint = Checkpoint.of(args, *files)
    run = TrainingRun(args.history, parts, checkpoint, steps, per_epoch, provenance=origin)

    for step in run:
        epoch, position = divmod(step, per_epoch)
        if run.curve and epoch - run.best(itemgetter("val_loss"))["epoch"] >= spec.patience:
            break
        order = shuffled(len(x), spec.seed, epoch)
        batch = torch.from_numpy(order[position * spec.batch_size :][: spec.batch_size]).to(device)
        noise = spec.largest_shift, spec.mutated_share, spec.hidden_share, spec.both_strands
        tokens = augment(x[batch], UNKNOWN, *noise)
        loss = cross_entropy(model(tokens), y[batch], weights, label_smoothing=spec.label_smoothing)
        lr = spec.lr * rate(step)
        value = clipped_step(model, optimizer, loss, lr, spec.clip)
        run.record_step(lr, weight=len(batch), loss=value)
        average.update_parameters(model)
        if run.due(per_epoch):
            *_, probabilities = predict_views(average.module, val_x, spec.both_strands).values()
            nats = nll_loss(probabilities.clamp_min(1e-12).log(), val_y, weights).item()
            answers = val_y.cpu().numpy(), probabilities.argmax(1).cpu().numpy()
            scores = {"val_accuracy": accuracy(*answers), "val_mcc": matthews(*answers)}
            known = {name: value for name, value in scores.items() if math.isfinite(value)}
            point = run.record(val_loss=nats, **known)
            if point is run.best(itemgetter("val_loss")):
                best.load_state_dict(average.module.state_dict())

    save_weights(args.weights, best, describe(spec, x.size(1), meta))
    run.finish(
        task="dna_classification",
        dataset=meta["dataset"],
        model=TITLE,
        seed=spec.seed,
        parameters=parameter_count(model),
        train_flops=3 * forward_flops(model, x[:1]) * len(x) * (run.step // per_epoch),
    )


if __name__ == "__main__":
    settings.run(main)
