"""What the DNA classifiers hand to the report."""

from dna import settings as dna

DNA = SETTINGS.dna
DNA_SETS = DNA.settings  # of each data set
DNA_RUN = f"{RUN}/dna/{{dataset}}"

for name in DNA.datasets:
    REPORT["metrics"].append(f"{RUN}/dna/{name}/metrics.json")
    REPORT["histories"] += [f"{RUN}/dna/{name}/seed{seed}/history.json" for seed in DNA.seeds]
    REPORT["predictions"].append(f"{RUN}/dna/{name}/predictions.csv")
    REPORT["submissions"].append(f"{RUN}/dna/{name}/submission.csv")
    REPORT["attention"].append(f"{RUN}/dna/{name}/attention.npz")
    if DATASETS.get(name) and DATASETS[name].kind == "own":
        REPORT["summaries"].append(f"{RUN}/dna/{name}/summary.md")


def candidates(dataset):
    """The models of which the val split of a data set chooses; none if its settings name one."""
    choice = DNA_SETS[dataset].choice
    return choice.candidates if choice else []
