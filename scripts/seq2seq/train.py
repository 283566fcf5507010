"""Train the encoder-decoder Transformer to translate a DNA reading frame into its protein.

Teacher forcing: given the frame and the first amino acids, predict the next one. The source is
single nucleotides: the model has to find out where the codons begin. The validation split is
decoded greedily; the weights, averaged over the steps, with the best exact match there are kept.
AdamW's beta2 of 0.98 is that of Vaswani et al. 2017, section 5.3; the schedule is this project's.
"""

import copy

import torch

from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.provenance import provenance
from pipeline.seeds import shuffled
from pipeline.torch_setup import setup
from pipeline.training_run import TRAINING_OUTPUTS, Point, TrainingRun
from pipeline.weights import TorchParts, save_weights
from seq2seq.model import TITLE, build, exact_rows, predict, read_split, token_loss
from seq2seq.settings import Stored, TrainSpec
from torch_nn.flops import forward_flops
from torch_nn.optimisation import clipped_step, weight_average
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle


def rank(point: Point) -> tuple[float, float]:
    """The best is the first: most exact matches, then the lowest loss."""
    return -point["val_exact_match"], point["val_loss"]


def main() -> None:
    inputs = {"data": "sequences.npz of the translation task"}
    args = settings.arguments(__doc__, TrainSpec, inputs, TRAINING_OUTPUTS)
    spec = args.spec
    device = setup(spec.seed, spec.threads)
    source, target = read_split(args.data, "train", device)
    val_source, val_target = read_split(args.data, "val", device)

    model = build(spec.model, source.size(1), target.size(1)).to(device)
    average, best = weight_average(model, spec.average_decay), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), spec.lr, betas=(0.9, spec.beta2), weight_decay=spec.weight_decay
    )
    rate = one_cycle(spec.steps, int(spec.warmup_share * spec.steps), final=spec.min_lr_share)

    batch_size = min(spec.batch_size, len(source))
    per_epoch = len(source) // batch_size
    origin = provenance(spec.threads, device.type, ("torch", "numpy"))
    parts = TorchParts(device, model=model, average=average, best=best, optimizer=optimizer)
    checkpoint = Checkpoint.of(args, args.data)
    run = TrainingRun(args.history, parts, checkpoint, spec.steps, per_epoch, provenance=origin)

    for step in run:
        epoch, position = divmod(step, per_epoch)
        order = shuffled(len(source), spec.seed, epoch)
        batch = torch.from_numpy(order[position * batch_size :][:batch_size]).to(device)
        loss = token_loss(model, source[batch], target[batch], spec.label_smoothing)
        lr = spec.lr * rate(step)
        run.record_step(lr, loss=clipped_step(model, optimizer, loss, lr, spec.clip))
        average.update_parameters(model)
        if run.due(spec.evaluate_every):
            predicted, val_loss = predict(average.module, val_source, val_target)
            matched = exact_rows(predicted, val_target.cpu().numpy()).mean()
            point = run.record(val_loss=val_loss, val_exact_match=float(matched))
            if point is run.best(rank):
                best.load_state_dict(average.module.state_dict())

    save_weights(args.weights, best, Stored(model=spec.model, source_length=source.size(1)))
    run.finish(
        task="translation",
        dataset="genetic_code",
        model=TITLE,
        seed=spec.seed,
        parameters=parameter_count(model),
        train_flops=3 * forward_flops(model, source[:1], target[:1, :-1]) * run.step * batch_size,
    )


if __name__ == "__main__":
    settings.run(main)
