"""Part 1: fully connected nets in NumPy alone. A grid with cross-validation chooses `plain`,
successive halving chooses `searched`, all others have the recipes of the configuration.
"""

import mlp_recipes

from mlp_grid import candidates

MLP = config["mlp"]
MLP_RUN = f"{RUN}/mlp"
MLP_IMAGES = f"{PROCESSED}/{MLP['dataset']}/images.npz"
MLP_META = f"{PROCESSED}/{MLP['dataset']}/meta.json"
MLP_GRID = candidates(MLP["grid"]) if "plain" in MLP["models"] else {}
MLP_RUNGS = MLP["search"]["rungs"] if "searched" in MLP["models"] else []
# The search that chooses a model's recipe; the others' stand in the configuration.
MLP_CHOICE = {
    "plain": f"{MLP_RUN}/selection.json",
    "searched": f"{MLP_RUN}/search/selection.json",
}
# The folder of the features, read by models that may see them.
MLP_HOG = f"{PROCESSED}/{MLP['dataset']}/hog"
MLP_HOG_TRAIN = [f"{MLP_HOG}/train.npy", f"{MLP_HOG}/meta.json"]
MLP_HOG_MODELS = [model for model in MLP["models"] if mlp_recipes.reads_hog(MLP, model)]
MLP_GRID_SCORES = expand(
    f"{MLP_RUN}/cv/{{candidate}}/fold{{fold}}.json",
    candidate=MLP_GRID,
    fold=range(MLP["folds_to_train"] or MLP["cv"]["folds"]),
)
MLP_FOLDS = stage(MLP["cv"], "folds", "fold_seed")
MLP_MEMBERS = mlp_recipes.member_models(MLP)


wildcard_constraints:
    candidate=r"lr-[^/]+",
    rung=r"\d+",
    place=r"\d+",
    fold=r"\d+",


rule cross_validate_mlp:
    """
    Train the candidate {wildcards.candidate} on all folds but {wildcards.fold} and score it there.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        hog=MLP_HOG_TRAIN if "plain" in MLP_HOG_MODELS else [],
    output:
        score=f"{MLP_RUN}/cv/{{candidate}}/fold{{fold}}.json",
    log:
        f"{RUN}/logs/cross_validate_mlp/{{candidate}}.fold{{fold}}.log",
    benchmark:
        f"{RUN}/benchmarks/cross_validate_mlp/{{candidate}}.fold{{fold}}.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=20,
    params:
        hog=["--hog", MLP_HOG] if "plain" in MLP_HOG_MODELS else [],
        spec=lambda wildcards: spec(
            "mlp.cross_validate",
            **mlp_recipes.recipe(MLP, "plain")
            | MLP_GRID[wildcards.candidate]
            | MLP["cv"],
            dataset=MLP["dataset"],
            fold=int(wildcards.fold),
        ),
    shell:
        "python -m mlp.cross_validate --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} {params.hog:q}"
        " --out {output.score:q} > {log:q} 2>&1"


rule select_mlp:
    """
    Choose the candidate with the highest mean validation accuracy over the folds.

    Settings: {params.spec}
    """
    input:
        scores=MLP_GRID_SCORES,
    output:
        selection=MLP_CHOICE["plain"],
    log:
        f"{RUN}/logs/select_mlp.log",
    benchmark:
        f"{RUN}/benchmarks/select_mlp.tsv"
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=5,
    params:
        spec=spec("mlp.select", dataset=MLP["dataset"]),
    shell:
        "python -m mlp.select --spec {params.spec:q}"
        " --scores {input.scores:q} --out {output.selection:q} > {log:q} 2>&1"


rule draw_candidates:
    """
    Draw the candidates of the halving search at random from its space.

    Settings: {params.spec}
    """
    output:
        candidates=f"{MLP_RUN}/search/candidates.json",
    log:
        f"{RUN}/logs/draw_candidates.log",
    benchmark:
        f"{RUN}/benchmarks/draw_candidates.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=5,
    params:
        spec=spec(
            "mlp.draw_candidates",
            **stage(MLP["search"], "seed", "space", "include"),
            dataset=MLP["dataset"],
            candidates=MLP["search"]["rungs"][0]["candidates"],
        ),
    shell:
        "python -m mlp.draw_candidates --spec {params.spec:q} --out {output.candidates:q} > {log:q} 2>&1"


# The program keeps its results in a folder of its own and takes one again that follows from the same
# candidate, settings, code and data (scripts/mlp/kept.py): a ranking that is made again retrains
# only who is new at a place. The output itself has no update(): when a job is stopped, Snakemake puts
# such a file back as new, whatever it was made of.
rule train_rung:
    """
    Train the candidate at place {wildcards.place} of the ranking before rung {wildcards.rung}, and
    score it on fold {wildcards.fold}.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        hog=MLP_HOG_TRAIN if "searched" in MLP_HOG_MODELS else [],
        ranking=lambda wildcards: f"{MLP_RUN}/search/{mlp_recipes.before(int(wildcards.rung))}",
    output:
        score=f"{MLP_RUN}/search/rung{{rung}}/{{place}}.fold{{fold}}.json",
    log:
        f"{RUN}/logs/train_rung/{{rung}}.{{place}}.fold{{fold}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_rung/{{rung}}.{{place}}.fold{{fold}}.tsv"
    # A chain of rungs and trainings depends on it: it starts first.
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        hog=["--hog", MLP_HOG] if "searched" in MLP_HOG_MODELS else [],
        kept=f"{RUN}/.kept/train_rung",
        spec=lambda wildcards: spec(
            "mlp.train_rung",
            **mlp_recipes.rung_training(MLP, int(wildcards.rung), int(wildcards.fold)),
            place=int(wildcards.place),
        ),
    shell:
        "python -m mlp.train_rung --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} {params.hog:q}"
        " --ranking {input.ranking:q} --kept {params.kept:q} --out {output.score:q}"
        " > {log:q} 2>&1"


rule rank_rung:
    """
    Rank the candidates of rung {wildcards.rung} by their mean accuracy over its folds.

    Settings: {params.spec}
    """
    input:
        scores=lambda wildcards: expand(
            f"{MLP_RUN}/search/{{score}}",
            score=mlp_recipes.rung_scores(MLP, int(wildcards.rung)),
        ),
        ranking=lambda wildcards: f"{MLP_RUN}/search/{mlp_recipes.before(int(wildcards.rung))}",
        meta=MLP_META,
        hog=MLP_HOG_TRAIN if "searched" in MLP_HOG_MODELS else [],
    output:
        ranking=f"{MLP_RUN}/search/rung{{rung}}/ranking.json",
    log:
        f"{RUN}/logs/rank_rung/{{rung}}.log",
    benchmark:
        f"{RUN}/benchmarks/rank_rung/{{rung}}.tsv"
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=5,
    params:
        hog=["--hog", MLP_HOG] if "searched" in MLP_HOG_MODELS else [],
        spec=lambda wildcards: spec(
            "mlp.rank_rung",
            dataset=MLP["dataset"],
            rung=int(wildcards.rung),
            epochs=MLP_RUNGS[int(wildcards.rung)]["epochs"],
            survivors=mlp_recipes.survivors(MLP, int(wildcards.rung)),
            folds=mlp_recipes.rung_folds(MLP, int(wildcards.rung)),
            trainings=[
                json.loads(
                    spec(
                        "mlp.train_rung",
                        **mlp_recipes.rung_training(MLP, int(wildcards.rung), fold),
                    )
                )
                for fold in mlp_recipes.rung_folds(MLP, int(wildcards.rung))
            ],
        ),
    shell:
        "python -m mlp.rank_rung --spec {params.spec:q}"
        " --scores {input.scores:q} --ranking {input.ranking:q} --meta {input.meta:q}"
        " {params.hog:q} --out {output.ranking:q} > {log:q} 2>&1"


rule choose_survivor:
    """
    The candidate that is first in the last rung.

    Settings: {params.spec}
    """
    input:
        rankings=expand(
            f"{MLP_RUN}/search/rung{{rung}}/ranking.json", rung=range(len(MLP_RUNGS))
        ),
    output:
        selection=MLP_CHOICE["searched"],
    log:
        f"{RUN}/logs/choose_survivor.log",
    benchmark:
        f"{RUN}/benchmarks/choose_survivor.tsv"
    priority: 20
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=5,
    params:
        spec=spec("mlp.choose_survivor", dataset=MLP["dataset"]),
    shell:
        "python -m mlp.choose_survivor --spec {params.spec:q}"
        " --rankings {input.rankings:q} --out {output.selection:q} > {log:q} 2>&1"


rule train_mlp:
    """
    Train {wildcards.model}: on the whole training part under a seed, or on all folds but one.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        hog=lambda wildcards: (
            MLP_HOG_TRAIN if wildcards.model in MLP_HOG_MODELS else []
        ),
        selection=lambda wildcards: MLP_CHOICE.get(wildcards.model, []),
    output:
        model=f"{MLP_RUN}/{{model}}/{{part}}/model.npz",
        history=f"{MLP_RUN}/{{model}}/{{part}}/history.json",
    log:
        f"{RUN}/logs/train_mlp/{{model}}.{{part}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_mlp/{{model}}.{{part}}.tsv"
    wildcard_constraints:
        model="|".join(MLP["models"]),
        part=r"(seed|fold)\d+",
    priority: 15
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=120,
    params:
        hog=lambda wildcards: (
            ["--hog", MLP_HOG] if wildcards.model in MLP_HOG_MODELS else []
        ),
        checkpoint=f"{RUN}/.checkpoints/mlp/{{model}}/{{part}}",
        choice=lambda wildcards: (
            ["--selection", MLP_CHOICE[wildcards.model]]
            if wildcards.model in MLP_CHOICE
            else []
        ),
        spec=lambda wildcards: spec(
            "mlp.train",
            **mlp_recipes.training(MLP, wildcards.model, wildcards.part),
        ),
    shell:
        "python -m mlp.train --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} {params.hog:q} {params.choice:q}"
        " --model {output.model:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_mlp:
    """
    Score the members of {wildcards.model} on the training part and, once, on the test part.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        hog=lambda wildcards: (
            [*MLP_HOG_TRAIN, f"{MLP_HOG}/test.npy"]
            if wildcards.model in MLP_HOG_MODELS
            else []
        ),
        models=lambda wildcards: expand(
            f"{MLP_RUN}/{wildcards.model}/{{part}}/model.npz",
            part=mlp_recipes.parts(MLP, wildcards.model),
        ),
        histories=lambda wildcards: expand(
            f"{MLP_RUN}/{wildcards.model}/{{part}}/history.json",
            part=mlp_recipes.parts(MLP, wildcards.model),
        ),
        selection=lambda wildcards: (
            MLP_CHOICE["plain"] if wildcards.model == "plain" else []
        ),
    output:
        metrics=f"{MLP_RUN}/{{model}}/metrics.json",
        predictions=f"{MLP_RUN}/{{model}}/predictions.csv",
        examples=f"{MLP_RUN}/{{model}}/examples.npz",
        probabilities=f"{MLP_RUN}/{{model}}/probabilities.npz",
    log:
        f"{RUN}/logs/evaluate_mlp/{{model}}.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_mlp/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(MLP["models"]),
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=120,
    params:
        # The first one's model predicts: their order counts, which inputs do not tell.
        order=lambda wildcards: mlp_recipes.parts(MLP, wildcards.model),
        hog=lambda wildcards: (
            ["--hog", MLP_HOG] if wildcards.model in MLP_HOG_MODELS else []
        ),
        choice=lambda wildcards: (
            ["--selection", MLP_CHOICE["plain"]] if wildcards.model == "plain" else []
        ),
        spec=lambda wildcards: spec(
            "mlp.evaluate",
            **stage(MLP, "dataset", "examples"),
            **MLP_FOLDS,
            model=wildcards.model,
            mirrors=MLP["flips"],
            shifts=MLP["test_time_shifts"],
        ),
    shell:
        "python -m mlp.evaluate --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} {params.hog:q} {params.choice:q}"
        " --models {input.models:q} --histories {input.histories:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q}"
        " --examples {output.examples:q} --probabilities {output.probabilities:q}"
        " > {log:q} 2>&1"


rule ensemble_mlp:
    """
    Average the probabilities of the members that the configuration names, and score the mean.

    Settings: {params.spec}
    """
    input:
        meta=MLP_META,
        probabilities=expand(
            f"{MLP_RUN}/{{model}}/probabilities.npz", model=MLP_MEMBERS
        ),
    output:
        metrics=f"{MLP_RUN}/ensemble/metrics.json",
        predictions=f"{MLP_RUN}/ensemble/predictions.csv",
    log:
        f"{RUN}/logs/ensemble_mlp.log",
    benchmark:
        f"{RUN}/benchmarks/ensemble_mlp.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=5,
    params:
        spec=spec(
            "mlp.ensemble",
            dataset=MLP["dataset"],
            members=MLP["ensemble"]["members"],
        ),
    shell:
        "python -m mlp.ensemble --spec {params.spec:q}"
        " --meta {input.meta:q} --probabilities {input.probabilities:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q} > {log:q} 2>&1"


for model in MLP["models"]:
    REPORT["metrics"].append(f"{MLP_RUN}/{model}/metrics.json")
    REPORT["histories"] += [
        f"{MLP_RUN}/{model}/{part}/history.json"
        for part in mlp_recipes.parts(MLP, model)
    ]
    REPORT["predictions"].append(f"{MLP_RUN}/{model}/predictions.csv")
    REPORT["images"].append(f"{MLP_RUN}/{model}/examples.npz")
if MLP_MEMBERS:
    REPORT["metrics"].append(f"{MLP_RUN}/ensemble/metrics.json")
    REPORT["predictions"].append(f"{MLP_RUN}/ensemble/predictions.csv")
SEARCH_FILES += MLP_GRID_SCORES
for rung in range(len(MLP_RUNGS)):
    SEARCH_FILES += expand(
        f"{MLP_RUN}/search/{{score}}", score=mlp_recipes.rung_scores(MLP, rung)
    )
if MLP_RUNGS:
    SEARCH_FILES += [f"{MLP_RUN}/search/candidates.json", MLP_CHOICE["searched"]]
if MLP_GRID:
    REPORT["selections"].append(MLP_CHOICE["plain"])
REPORT["searches"] += [
    f"{MLP_RUN}/search/rung{rung}/ranking.json" for rung in range(len(MLP_RUNGS))
]
