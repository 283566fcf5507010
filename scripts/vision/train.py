"""Train one image classifier (MLP or CNN) with one seed; write its weights and its history.

The seed draws the training images that are held out for validation: some to choose a recipe, none
in the final training. The whole data set is one tensor; each step augments its own batch. The test
images are not read.
"""

import math

import torch
from torch.nn.functional import cross_entropy

from pipeline import settings
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InputError
from pipeline.precision import choose_dtype, precision_name
from pipeline.provenance import provenance
from pipeline.seeds import generator, shuffled
from pipeline.torch_setup import setup
from pipeline.training_run import TRAINING_OUTPUTS, TrainingRun
from pipeline.weights import TorchParts, save_weights
from raw.image_data import load_meta, load_part, split_by_seed
from torch_nn.augment import resize
from torch_nn.flops import forward_flops
from torch_nn.image_classifier import augment, logits
from torch_nn.optimisation import clipped_step
from torch_nn.parameters import parameter_count
from torch_nn.schedules import one_cycle
from vision.model import build, evaluate, optimizer, title
from vision.settings import Model, Stored, TrainSpec


def check(spec: TrainSpec, images: torch.Tensor) -> None:
    """Raises InputError if the settings do not suit the training images (N, C, H, W)."""
    if (size := spec.batch_size) > (most := len(images)):
        raise InputError(f"batch_size: expected at most the {most} training images, found {size}")
    if spec.small_share and not 2 ** len(spec.widths) < spec.small_side <= min(images.shape[2:]):
        wanted = f"{2 ** len(spec.widths) + 1} to {min(images.shape[2:])} pixels"
        raise InputError(f"small_side: expected {wanted}, found {spec.small_side}")
    if (crop := spec.crop) >= (side := min(images.shape[2:])):
        raise InputError(f"crop: expected fewer than the {side} pixels of a side, found {crop}")


def main() -> None:
    inputs = {"images": "images.npz (train_x, train_y are read)", "meta": "its meta.json"}
    args = settings.arguments(__doc__, TrainSpec, inputs, TRAINING_OUTPUTS)
    spec, classes = args.spec, load_meta(args.meta)["classes"]
    device = setup(spec.seed, spec.threads)
    dtype = choose_dtype("bfloat16" if spec.bfloat16 else "float32", device)
    bfloat16 = dtype is torch.bfloat16
    arrays = load_part(args.images, "train", len(classes))
    kept, held_out = split_by_seed(arrays[1], spec.validation_size, spec.seed)
    x, y = (torch.from_numpy(array[kept]) for array in arrays)
    val_x, val_y = (torch.from_numpy(array[held_out]) for array in arrays)
    check(spec, x)

    model = build(spec, x.shape[1:], len(classes)).to(device)
    model.fit(x)
    steps_by = optimizer(model, spec)

    per_epoch = len(x) // spec.batch_size
    steps = max(1, round(spec.epochs * per_epoch))
    small_steps = int(spec.small_share * steps)
    image = x[:1].to(device)
    large = forward_flops(model, image)
    small = forward_flops(model, resize(image, spec.small_side)) if small_steps else 0

    def compute(done: int) -> int:
        """The floating-point operations of the first `done` steps."""
        forward = small * min(done, small_steps) + large * max(0, done - small_steps)
        return 3 * spec.batch_size * forward

    # A step more than there are: the rate reaches 0 after the last one, which still learns.
    rate = one_cycle(steps + 1, int(spec.warmup * steps), spec.decay)
    random = torch.Generator(device).manual_seed(spec.seed)
    first_flips = torch.from_numpy(generator(spec.seed, "flips").random(len(x)) < 0.5)
    precision = precision_name(dtype)
    origin = provenance(spec.threads, device.type, ("torch", "numpy"), precision)
    parts = TorchParts(device, model=model, optimizer=steps_by, augmentation=random)
    checkpoint = Checkpoint.of(args, args.images, args.meta)
    run = TrainingRun(args.history, parts, checkpoint, steps, per_epoch, provenance=origin)

    for step in run:
        epoch, position = divmod(step, per_epoch)
        order = shuffled(len(x), spec.seed, epoch, "order")
        batch = order[position * spec.batch_size :][: spec.batch_size]
        images, labels = x[batch].to(device), y[batch].to(device)  # (B, C, H, W), (B,)
        flips = (first_flips[batch] ^ bool(epoch % 2)).to(device) & spec.flips  # (B,)
        changes = {"flips": flips, "crop": spec.crop, "hole": spec.cutout}
        images = augment(images, **changes, generator=random)
        if step < small_steps:
            images = resize(images, spec.small_side)
        scores = logits(model, images, bfloat16)  # (B, K)
        loss = cross_entropy(scores, labels, label_smoothing=spec.label_smoothing)
        lr = spec.lr * rate(step)
        value = clipped_step(model, steps_by, loss, lr, clip=math.inf)
        hits = (scores.argmax(1) == labels).double().mean().item()
        run.record_step(lr, loss=value, accuracy=hits)
        if run.due(per_epoch):
            scored = evaluate(model, val_x, val_y, bfloat16) if len(val_x) else ()
            values = dict(zip(("val_loss", "val_accuracy"), scored, strict=False))
            run.record(train_flops=compute(step + 1), **values)

    own = spec.model_dump(include={*Model.model_fields})
    about = Stored(**own, image_shape=list(x.shape[1:]), classes=classes)
    save_weights(args.weights, model, about)
    views = {"none": False, "flips": True} if len(val_x) else {}
    accuracy = {
        view: evaluate(model, val_x, val_y, bfloat16, flips)[1] for view, flips in views.items()
    }
    run.finish(
        task="image_classification",
        dataset=spec.dataset,
        model=title(spec),
        seed=spec.seed,
        precision=precision,
        val_accuracy=accuracy,
        parameters=parameter_count(model),
        train_flops=compute(steps),
    )


if __name__ == "__main__":
    settings.run(main)
