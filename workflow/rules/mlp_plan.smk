"""What Part 1 hands to the report, and what its rules ask about files and settings of trainings."""

from mlp import plan
from mlp import settings as mlp

MLP = SETTINGS.mlp
MLP_RUN = f"{RUN}/mlp"
MLP_PROCESSED = f"{PROCESSED}/{MLP.dataset}"
MLP_DATA = {"data": f"{MLP_PROCESSED}/images.npz", "meta": f"{MLP_PROCESSED}/meta.json"}
MLP_MEMBERS = list(dict.fromkeys(name.split("/")[0] for name in MLP.ensemble.members))
# The search that chooses a model's recipe; the others' are in the configuration.
MLP_CHOICE = {"plain": f"{MLP_RUN}/selection.json", "searched": f"{MLP_RUN}/search/selection.json"}
# The folder of the features, and for each model that may see them their files.
MLP_HOG = f"{MLP_PROCESSED}/hog"
MLP_HOG_MODELS = [model for model in MLP.models if plan.reads_hog(MLP, model)]
MLP_HOG_FILES = dict.fromkeys(MLP_HOG_MODELS, [f"{MLP_HOG}/train.npy", f"{MLP_HOG}/meta.json"])
MLP_GRID_SCORES = expand(
    f"{MLP_RUN}/cv/{{candidate}}/fold{{fold}}.json",
    candidate=plan.grid_candidates(MLP) if "plain" in MLP.models else [],
    fold=range(MLP.folds_to_train or MLP.cv.folds),
)
MLP_RANKINGS = expand(
    f"{MLP_RUN}/search/rung{{rung}}/ranking.json",
    rung=range(len(MLP.search.rungs) if "searched" in MLP.models else 0),
)


def rung_spec(rung, fold, *place):
    """The settings of a training in the race; `place` holds the wildcard of that name."""
    return spec("mlp.train_rung", mlp.RungSpec, *place, **plan.rung_training(MLP, rung, fold))


def ranking_spec(rung):
    """The settings of a ranking: also what each score must have been trained by, but its place."""
    trainings = [json.loads(rung_spec(rung, fold)) for fold in MLP.search.rungs[rung].folds]
    survivors = plan.survivors(MLP, rung)
    return spec("mlp.rank_rung", mlp.RankSpec, survivors=survivors, trainings=trainings)


def hog_options(wildcards, input, output):
    """`options`, and the folder of the features if the job reads them."""
    hog = ["--hog", MLP_HOG] if f"{MLP_HOG}/meta.json" in input else []
    return [*options(wildcards, input, output), *hog]


def of_parts(model, name):
    """The file `name` of each of a model's trainings."""
    return [f"{MLP_RUN}/{model}/{part}/{name}" for part in plan.parts(MLP, model)]


for model in MLP.models:
    REPORT["histories"] += of_parts(model, "history.json")
    REPORT["images"].append(f"{MLP_RUN}/{model}/examples.npz")
    if model not in MLP_HOG_MODELS and {*MLP.choices(model, "architecture")} == {"mlp"}:
        REPORT["models"] += of_parts(model, "model.npz")[:1]
for model in [*MLP.models, "ensemble"] if MLP_MEMBERS else MLP.models:
    REPORT["metrics"].append(f"{MLP_RUN}/{model}/metrics.json")
    REPORT["predictions"].append(f"{MLP_RUN}/{model}/predictions.csv")
if "plain" in MLP.models:
    REPORT["selections"].append(MLP_CHOICE["plain"])
REPORT["searches"] += MLP_RANKINGS
