"""Train the encoder-decoder Transformer to translate a DNA reading frame into its protein.

Teacher forcing: given the frame and the first amino acids, predict the next one. The source is
single nucleotides: where the codons lie, the model has to find out. The validation split is decoded
greedily; the weights (averaged over steps) with the best exact match there are kept. AdamW's beta2
of 0.98 is that of Vaswani et al. 2017, section 5.3; the schedule is this project's.
"""

import copy
import time

import numpy as np
import torch
from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_json
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.provenance import provenance
from pipeline.seeds import generator
from pipeline.torch_setup import setup
from pipeline.weights import restore_training_state, save_weights, training_state
from seq2seq.model import TITLE, Architecture, evaluate, exact_rows, read_split, token_loss
from torch_nn.optimisation import clipped_step, weight_average
from torch_nn.schedules import one_cycle


class Spec(settings.Settings):
    seed: int = Field(1, ge=0, description="seed of weights, batches and dropout")
    threads: int = Field(1, ge=1, description="threads of PyTorch")
    model: Architecture = Field(Architecture(), description="see Architecture")
    steps: int = Field(3000, ge=1, description="optimisation steps")
    batch_size: int = Field(64, ge=1, description="pairs a step")
    lr: float = Field(2e-3, gt=0, description="highest learning rate")
    warmup_share: float = Field(0.1, ge=0, lt=1, description="share of the steps with rising rate")
    min_lr_share: float = Field(0.01, ge=0, le=1, description="last learning rate, share of lr")
    beta2: float = Field(0.98, gt=0, lt=1, description="AdamW's second-moment decay")
    weight_decay: float = Field(0.01, ge=0, description="decoupled weight decay of AdamW")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread evenly")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    average_decay: float = Field(0.99, ge=0, lt=1, description="memory of the averaged weights")
    evaluate_every: int = Field(250, ge=1, description="steps between two validations")


def main() -> None:
    args = settings.arguments(
        __doc__,
        Spec,
        inputs={"data": "sequences.npz of the translation task"},
        outputs={"weights": "model", "history": "history.json", "checkpoint?": "directory"},
    )
    spec, device = args.spec, setup(args.spec.seed, args.spec.threads)
    source, target = read_split(args.data, "train", device)
    val_source, val_target = read_split(args.data, "val", device)
    model = spec.model.build(source.size(1), target.size(1)).to(device)
    average, best = weight_average(model, spec.average_decay), copy.deepcopy(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=spec.lr, betas=(0.9, spec.beta2), weight_decay=spec.weight_decay
    )
    parts = {"model": model, "average": average, "best": best, "optimizer": optimizer}
    checkpoint = args.checkpoint and Checkpoint(args.checkpoint, args.spec_key, args.data)
    step, seconds, curve, losses, highest = 0, 0.0, [], [], (-1.0, 0.0)
    if checkpoint and (stored := checkpoint.load()):
        arrays, meta = stored
        restore_training_state(parts, arrays, meta["torch"], device)
        step, seconds, curve, losses = (meta[k] for k in ("step", "seconds", "curve", "losses"))
        highest = tuple(meta["highest"])
        print(f"resumed at step {step}")
    per_epoch = max(1, len(source) // spec.batch_size)
    rate = one_cycle(spec.steps, int(spec.warmup_share * spec.steps), final=spec.min_lr_share)
    started = time.monotonic()
    epoch = order = None
    while step < spec.steps:
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            order = generator(spec.seed, "batches", epoch).permutation(len(source))
        first = step % per_epoch * spec.batch_size
        batch = torch.from_numpy(order[first : first + spec.batch_size]).to(device)
        model.train()
        loss = token_loss(model, source[batch], target[batch], spec.label_smoothing)
        lr = spec.lr * rate(step)
        try:
            losses.append(clipped_step(model, optimizer, loss, lr, spec.clip))
        except FloatingPointError as error:
            raise InputError(f"step {step}, lr {lr:.3g}: {error}. Lower lr or clip.") from None
        average.update_parameters(model)
        step += 1
        validated = step % spec.evaluate_every == 0 or step == spec.steps
        if validated:
            predicted, val_loss = evaluate(average.module, val_source, val_target)
            matched = float(exact_rows(predicted, val_target.cpu().numpy()).mean())
            point = {
                "step": step,
                "epoch": step / per_epoch,
                "lr": lr,
                "train_loss": float(np.mean(losses)),
                "val_loss": val_loss,
                "val_exact_match": matched,
            }
            curve.append(point)
            print(" ".join(f"{k} {v:.5g}" for k, v in point.items()), flush=True)
            losses = []
            if (matched, -val_loss) > highest:
                highest = (matched, -val_loss)
                best.load_state_dict(average.module.state_dict())
        if checkpoint and step < spec.steps and (validated or checkpoint.stopping):
            arrays, state = training_state(parts, device)
            elapsed = seconds + time.monotonic() - started
            meta = {"step": step, "seconds": elapsed, "curve": curve, "highest": highest}
            checkpoint.save(arrays, {**meta, "losses": losses, "torch": state})
    seconds += time.monotonic() - started
    save_weights(args.weights, best)
    history = {
        "task": "translation",
        "dataset": "genetic_code",
        "model": TITLE,
        "seed": spec.seed,
        "curve": curve,
        "seconds": seconds,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "provenance": provenance(spec.threads, device.type, ("torch", "numpy")),
    }
    write_json(args.history, history)
    if checkpoint:
        checkpoint.clear()


if __name__ == "__main__":
    settings.run(main)
