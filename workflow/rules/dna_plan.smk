"""What the DNA classifiers hand to the report."""

from dna import settings as dna

DNA = SETTINGS.dna
DNA_SETS = DNA.settings  # of each data set
DNA_SEEDS = {name: own.seeds or DNA.seeds for name, own in DNA_SETS.items()}
DNA_RUN = f"{RUN}/dna/{{dataset}}"


def of_dna_seeds(file, dataset):
    """`file` of each training on a data set."""
    return [f"{RUN}/dna/{dataset}/seed{seed}/{file}" for seed in DNA_SEEDS[dataset]]


def chooser(dataset):
    """The data set whose val chooses the model of `dataset`: its own, or that of its family."""
    choice = DNA_SETS[dataset].choice
    return choice.of if choice and choice.of else dataset


def candidates(dataset):
    """The models of which the val split of a data set chooses; none if its settings name one."""
    choice = DNA_SETS[dataset].choice
    found = choice.candidates if choice else []
    return [one for one in found if choice.aligned or one.model.pooling != "flatten"]


for name in DNA.datasets:
    # The encoder first: the report's room has its name.
    REPORT["metrics"] += [f"{RUN}/dna/{name}/{file}.json" for file in ("metrics", "baselines")]
    REPORT["histories"] += of_dna_seeds("history.json", name)
    REPORT["models"] += of_dna_seeds("model.safetensors", name)[:1]
    REPORT["predictions"].append(f"{RUN}/dna/{name}/predictions.csv")
    REPORT["submissions"].append(f"{RUN}/dna/{name}/submission.csv")
    REPORT["attention"].append(f"{RUN}/dna/{name}/attention.npz")
    REPORT["curves"].append(f"{RUN}/dna/{name}/curves.json")
    REPORT["motifs"].append(f"{RUN}/dna/{name}/motifs.json")
    if candidates(name) and chooser(name) == name:
        REPORT["choices"].append(f"{RUN}/dna/{name}/choice.json")
    if DATASETS.get(name) and DATASETS[name].kind == "own":
        REPORT["summaries"].append(f"{RUN}/dna/{name}/summary.md")
        REPORT["own"].append(f"{RUN}/dna/{name}/summary.json")
