"""Every key of the demo's configuration: a value to change it to, and the jobs that must run then.

A job is named by its rule, in Part 1 and in `vision` with its model: `train_mlp plain`. What the
report does about a change (figures, leaderboard, manifest) is not told here.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from snakemake.utils import update_config


def _jobs(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, text.split(","))))


ROOMS = ("mlp", "vision", "gpt", "dna", "seq2seq")
NOTHING: frozenset[str] = frozenset()
PLAIN = _jobs("train_mlp plain, evaluate_mlp plain")
GRID = _jobs("cross_validate_mlp, select_mlp") | PLAIN
TEST_SEARCHED = _jobs("evaluate_mlp searched, ensemble_mlp")
FINAL_SEARCHED = _jobs("train_mlp searched") | TEST_SEARCHED
SEARCHED = _jobs("train_rung, rank_rung, choose_survivor") | FINAL_SEARCHED
MIXER = _jobs("train_mlp mixer, evaluate_mlp mixer, ensemble_mlp")
MLP = GRID | SEARCHED | MIXER
# Of models that have other keys: it runs after one of them, whichever it is.
JOINT = _jobs("ensemble_mlp")
VISION_MLP = _jobs("train_vision mlp, evaluate_vision mlp")
VISION_CNN = _jobs("train_vision cnn, evaluate_vision cnn")
VISION_FAST = _jobs("train_vision fast_cnn, evaluate_vision fast_cnn")
VISION = VISION_MLP | VISION_CNN | VISION_FAST
GPT = _jobs("train_gpt, sample_gpt, trace_gpt, evaluate_gpt")
BY_HAND = _jobs("train_numpy_gpt, evaluate_numpy_gpt, evaluate_twin, compare_twins")
BY_HAND |= _jobs("sample_numpy_gpt")
TEXT = _jobs("prepare_text, measure_baselines") | GPT | BY_HAND
DNA_SEED, DNA_MOTIFS = _jobs("train_dna, evaluate_dna"), _jobs("find_dna_motifs")
DNA, DNA_BASELINES = DNA_SEED | DNA_MOTIFS, _jobs("measure_dna_baselines")
SEQ2SEQ = _jobs("train_seq2seq, evaluate_seq2seq")
STORIES, MOTIFS = "gpt.settings.grammar_stories", "dna.settings.planted_motifs"

# (keys, jobs): the first line that fits a key counts.
TABLE = (
    # Where raw files may come from is no property of a result; an order is none of a model's.
    ("rooms data_mirror mlp.models vision.models seq2seq.dataset", NOTHING),
    ("data.digits.*", _jobs("generate_images, extract_hog") | MLP),
    ("data.shapes.*", _jobs("generate_images") | VISION),
    ("mlp.dataset", _jobs("extract_hog, draw_candidates") | MLP),
    ("mlp.flips mlp.examples", _jobs("evaluate_mlp plain, evaluate_mlp mixer") | TEST_SEARCHED),
    ("mlp.hog.*", _jobs("extract_hog") | SEARCHED | MIXER),
    # What is common reruns the models that do not have a value of their own, and read it.
    ("mlp.recipes.common.patch mlp.recipes.common.token_width mlp.recipes.common.channel_width"
     # The grid's candidates have their own, and so do the other models.
     " mlp.recipes.common.dropout mlp.recipes.common.lr mlp.recipes.common.batch_size"
     " mlp.recipes.common.shift mlp.recipes.common.weight_decay", NOTHING),
    ("mlp.recipes.common.hidden mlp.recipes.common.norm mlp.recipes.common.optimiser", GRID),
    ("mlp.recipes.common.channels mlp.recipes.common.levels mlp.recipes.common.depth", SEARCHED),
    ("mlp.recipes.common.margin mlp.recipes.common.mixer_dropout", SEARCHED | MIXER),
    ("mlp.recipes.common.ema_decay", MIXER),
    ("mlp.recipes.common.*", MLP),
    # The demo has no pyramid.
    ("mlp.recipes.pyramid.* mlp.final.pyramid.*", NOTHING),
    ("mlp.recipes.plain.*", GRID),
    ("mlp.recipes.searched.*", SEARCHED),
    ("mlp.recipes.mixer.*", MIXER),
    # A candidate or a fold less is none to train.
    ("mlp.grid.dropout mlp.folds_to_train", _jobs("select_mlp") | PLAIN),
    ("mlp.grid.* mlp.cv.epochs mlp.cv.examples", GRID),
    ("mlp.cv.*", GRID | SEARCHED | _jobs("evaluate_mlp mixer")),
    ("mlp.search.rungs mlp.search.examples", SEARCHED),
    ("mlp.search.*", _jobs("draw_candidates") | SEARCHED),
    ("mlp.final.plain.fold_models", _jobs("evaluate_mlp plain")),
    ("mlp.final.plain.*", PLAIN),
    ("mlp.final.searched.fold_models", TEST_SEARCHED),
    ("mlp.final.searched.*", FINAL_SEARCHED),
    ("mlp.final.mixer.*", MIXER),
    ("mlp.ensemble.*", _jobs("ensemble_mlp")),
    ("vision.examples vision.shifted_images",
     _jobs("evaluate_vision mlp, evaluate_vision cnn, evaluate_vision fast_cnn")),
    ("vision.mlp.test_time_flips", _jobs("evaluate_vision mlp")),
    ("vision.cnn.test_time_flips", _jobs("evaluate_vision cnn")),
    ("vision.fast_cnn.test_time_flips", _jobs("evaluate_vision fast_cnn")),
    ("vision.mlp.*", VISION_MLP),
    ("vision.cnn.*", VISION_CNN),
    ("vision.fast_cnn.*", VISION_FAST),
    ("vision.*", VISION),
    # A text that the run does not have: nothing is trained by hand on it.
    ("gpt.numpy.dataset", NOTHING),
    ("gpt.numpy.beside_torch.*", _jobs("compare_twins")),
    ("gpt.numpy.sampling.*", _jobs("sample_numpy_gpt")),
    ("gpt.numpy.training.steps gpt.numpy.training.lr", BY_HAND - _jobs("compare_twins")),
    ("gpt.numpy.*", BY_HAND),
    ("gpt.datasets", (_jobs("fetch_tinyshakespeare") | TEXT) - BY_HAND),
    ("gpt.seeds", _jobs("train_gpt, evaluate_gpt")),
    ("gpt.threads gpt.device", _jobs("evaluate_twin") | GPT),
    (f"{STORIES}.stories {STORIES}.data.seed", _jobs("generate_stories") | TEXT),
    (f"{STORIES}.data.*", TEXT),
    (f"{STORIES}.model.* {STORIES}.training.*", GPT),
    (f"{STORIES}.evaluation.*", _jobs("evaluate_gpt")),
    (f"{STORIES}.baselines.*", _jobs("measure_baselines")),
    (f"{STORIES}.sampling.*", _jobs("sample_gpt, evaluate_gpt")),
    (f"{STORIES}.sentence", _jobs("trace_gpt")),
    ("dna.datasets", _jobs("fetch_statlog_dna, prepare_dna") | DNA | DNA_BASELINES),
    ("dna.threads", DNA | DNA_BASELINES),
    # The same first seed, which is that of the baselines and of the motifs.
    (f"dna.seeds {MOTIFS}.seeds", DNA_SEED),
    ("dna.motifs.*", DNA_MOTIFS),
    (f"{MOTIFS}.data.* {MOTIFS}.both_strands", _jobs("prepare_dna") | DNA | DNA_BASELINES),
    (f"{MOTIFS}.baselines.*", DNA_BASELINES),
    (f"{MOTIFS}.pretraining.epochs", _jobs("pretrain_dna") | DNA),
    # Without epochs there is none.
    (f"{MOTIFS}.pretraining.*", NOTHING),
    (f"{MOTIFS}.*", DNA),
    ("seq2seq.data.*", _jobs("prepare_genetic_code") | SEQ2SEQ),
    ("seq2seq.*", SEQ2SEQ),
    # Settings of data sets that the demo does not have.
    ("gpt.settings.* dna.settings.*", NOTHING),
)  # fmt: skip
# Keys that have no other value as long as the rest is as it is: flipped digits are no digits, no
# mixer sees features alone, no training moves them; k-mers, which all other data sets change to,
# cannot be pretrained; no other data set has the choice of one's own.
ALONE = (
    "mlp.recipes.*.flips",
    "mlp.recipes.common.inputs",
    "mlp.recipes.common.architecture",
    "mlp.test_time_shifts",
    "dna.settings.gue/*.pretraining.epochs",
    "dna.settings.own.choice.of",
)


def configuration(folder: Path) -> dict:
    """The demo's configuration, as Snakemake merges it."""
    merged = yaml.safe_load((folder / "config" / "config.yaml").read_text())
    update_config(merged, yaml.safe_load((folder / "config" / "demo.yaml").read_text()))
    return merged


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    """(dotted path, value) of every key that holds no further keys."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif value != {}:
        yield ".".join(path), value


def merged(keys: list[tuple[str, object]]) -> dict:
    """{"a": {"b": 1, "c": 2}} of [("a.b", 1), ("a.c", 2)]."""
    found: dict = {}
    for path, value in keys:
        *parents, last = path.split(".")
        inner = found
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return found


# What to change a key to, where one more, half as much or the opposite does not fit.
VALUES = {
    "rooms": ["vision", "mlp", "seq2seq", "dna", "gpt"],
    "data_mirror": "/nowhere",
    "mlp.dataset": "shapes",
    "mlp.models": ["searched", "plain", "mixer"],
    "mlp.hog.parts": [{"kind": "felzenszwalb", "cell": 4, "orientations": 8}],
    "mlp.hog.shift": 2,
    "mlp.recipes.mixer.inputs": "pixels",
    "mlp.recipes.*.inputs": "hog",
    "mlp.recipes.common.architecture": "mixer",
    "mlp.recipes.mixer.architecture": "mlp",
    "mlp.recipes.pyramid.architecture": "mlp",
    "mlp.recipes.*.hidden": [48],
    "mlp.recipes.*.activation": "gelu",
    "mlp.recipes.*.norm": "layer",
    "mlp.recipes.common.patch": 1,
    "mlp.recipes.*.patch": 8,
    "mlp.recipes.*.levels": [{"window": 2, "stride": 1, "channels": 8}],
    "mlp.recipes.common.optimiser": "adamw",
    "mlp.recipes.searched.optimiser": "sgd",
    "mlp.recipes.mixer.optimiser": "sgd",
    "mlp.recipes.pyramid.optimiser": "sgd",
    "mlp.recipes.*.schedule": "cosine",
    "mlp.recipes.*.ema_decay": 0.5,
    "mlp.recipes.*.clip_norm": 1.0,
    "mlp.recipes.*.patience": 3,
    "mlp.grid.lr": [0.03, 0.1, 0.2],
    "mlp.grid.batch_size": [32, 64],
    "mlp.grid.dropout": [0.0],
    "mlp.cv.examples": 500,
    "mlp.folds_to_train": 1,
    "mlp.search.space.hidden": [[64, 32]],
    "mlp.search.space.batch_size": [64],
    "mlp.search.space.shift": [1],
    "mlp.search.space.weight_decay": [0.1],
    "mlp.search.space.activation": ["gelu"],
    "mlp.search.space.margin": [1],
    "mlp.search.space.channels": [8],
    "mlp.search.space.depth": [2],
    "mlp.search.include": [{"lr": 0.002}],
    "mlp.search.rungs": [{"candidates": 4, "epochs": 5}, {"candidates": 1, "epochs": 15}],
    "mlp.search.examples": 500,
    "mlp.final.*.seeds": [1, 4],
    "mlp.final.*.fold_models": 1,
    "mlp.ensemble.members": ["searched/seeds", "searched/folds"],
    "vision.dataset": "digits",
    "vision.models": ["fast_cnn", "cnn", "mlp"],
    "vision.seeds": [1, 2],
    "vision.*.widths": [32, 16],
    "vision.fast_cnn.decay": "cosine",
    "vision.*.decay": "linear",
    "gpt.datasets": ["grammar_stories", "tinyshakespeare"],
    "*.seeds": [1, 2, 3],
    "gpt.numpy.dataset": "tinyshakespeare",
    "gpt.numpy.model.d_model": 64,
    "gpt.numpy.model.n_heads": 1,
    "gpt.numpy.sampling.prompts": ["A"],
    "gpt.numpy.sampling.top_k": 5,
    "gpt.settings.*.data.tokenizer": "characters",
    "gpt.settings.*.baselines.orders": [3],
    "gpt.settings.*.batch_size": 24,
    "gpt.device": "cpu",
    "gpt.settings.*.architecture": "llama",
    "gpt.settings.*.n_heads": 2,
    "gpt.settings.*.d_model": 128,
    "gpt.settings.*.positions": "sinusoidal",
    "gpt.settings.*.optimizer": "adamw",
    "gpt.settings.*.decay": "cosine",
    "gpt.settings.*.keep": "best",
    "gpt.settings.*.precision": "float32",
    "gpt.settings.*.sampling.prompts": ["A"],
    "gpt.settings.*.sampling.ways": [{"temperature": 0.5, "top_k": None, "top_p": None}],
    "gpt.settings.*.sentence": "A cat.",
    "gpt.settings.*.stride": 7,
    "gpt.settings.*.top_k": 5,
    "dna.datasets": ["planted_motifs", "statlog_dna"],
    "dna.settings.*.classes": ["first", "second"],
    "dna.settings.*.motifs": ["TATAAC", "CACGTG"],
    "dna.settings.*.sizes": [2000, 500, 1000],
    "dna.settings.*.n_heads": 2,
    "dna.settings.*.d_model": 64,
    "dna.settings.*.tokens": "k-mers",
    "dna.settings.*.token_width": 8,
    "dna.settings.own.choice.candidates": [{"both_strands": True}],
    "dna.settings.*.stem_kernel": 5,
    "dna.settings.*.stem_inner_kernel": 3,
    "dna.settings.*.stem_pools": [2],
    "dna.settings.*.positions": "sinusoidal",
    "dna.settings.*.pooling": "mean",
    "dna.settings.*.orders": [2],
    "dna.settings.*.strengths": [0.5],
    "seq2seq.dataset": "genetic_code",
    "seq2seq.model.n_heads": 2,
    "seq2seq.model.d_model": 128,
    "report.colours.*": "#123456",
}


def changed(path: str, value: object) -> object:
    """Another value for the key `path`. Raises KeyError if it has to be told in VALUES."""
    for pattern, other in VALUES.items():
        if fnmatchcase(path, pattern):
            return other
    if path.startswith("mlp.search.space.") and len(value) > 1:
        return value[1:]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value / 2 or 0.05
    raise KeyError(f"{path}: tell in VALUES what to change {value!r} to")


def expected(path: str) -> frozenset[str]:
    """The jobs of the rooms that must run when the key `path` changes."""
    for keys, jobs in TABLE:
        if any(fnmatchcase(path, pattern) for pattern in keys.split()):
            return jobs
    raise KeyError(f"{path}: tell in TABLE which jobs read it")


def changes(config: dict) -> list[tuple[str, object]]:
    """(path, another value) of every key that can change alone; `run` and the report's aside."""
    return [
        (path, changed(path, value))
        for path, value in leaves(config)
        if not path.startswith(("run", "report."))
        and not any(fnmatchcase(path, pattern) for pattern in ALONE)
    ]
