"""Which settings of the config's section `vision` each stage reads."""

ARCHITECTURE = {
    "mlp": ("widths", "dropout", "bfloat16"),
    "cnn": ("widths", "dropout", "bfloat16", "stem", "depth", "residual"),
}
TRAINING = (
    "epochs",
    "batch_size",
    "lr",
    "momentum",
    "weight_decay",
    "label_smoothing",
    "warmup",
    "decay",
    "flips",
    "crop",
    "cutout",
)


def architecture(section, model):
    """What training and evaluation of `model` must agree on."""
    return {"model": model} | {name: section[model][name] for name in ARCHITECTURE[model]}


def training(section, model, seed):
    """The settings of train_vision.py for one model and seed."""
    return {
        **architecture(section, model),
        **{name: section[model][name] for name in TRAINING},
        "dataset": section["dataset"],
        "seed": int(seed),
        "threads": section["threads"],
        "validation_size": section["validation_size"],
    }


def evaluation(section, model):
    """The settings of evaluate_vision.py for one model, all seeds."""
    return {
        **architecture(section, model),
        "dataset": section["dataset"],
        "test_time_flips": section[model]["test_time_flips"],
        "seeds": section["seeds"],
        "threads": section["threads"],
        "examples": section["examples"],
    }
