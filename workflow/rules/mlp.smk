"""Part 1: a fully connected net in NumPy alone, chosen by cross-validation over a grid."""

from mlp_grid import candidates

MLP = config["mlp"]
MLP_GRID = candidates(MLP["grid"])
MLP_IMAGES = f"{PROCESSED}/{MLP['dataset']}/images.npz"
MLP_META = f"{PROCESSED}/{MLP['dataset']}/meta.json"
MLP_RECIPE = stage(
    MLP,
    "hidden",
    "schedule",
    "momentum",
    "nesterov",
    "weight_decay",
    "label_smoothing",
)


wildcard_constraints:
    candidate=r"lr-[^/]+",


rule cross_validate_mlp:
    """
    Train the candidate {wildcards.candidate} on all folds but {wildcards.fold} and score it there.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
    output:
        score=f"{RUN}/mlp/cv/{{candidate}}/fold{{fold}}.json",
    log:
        f"{RUN}/logs/cross_validate_mlp/{{candidate}}.fold{{fold}}.log",
    benchmark:
        f"{RUN}/benchmarks/cross_validate_mlp/{{candidate}}.fold{{fold}}.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        script=script("cross_validate_mlp.py"),
        spec=lambda wildcards: spec(
            "cross_validate_mlp.py",
            **MLP_GRID[wildcards.candidate],
            **MLP_RECIPE,
            **MLP["cv"],
            dataset=MLP["dataset"],
            fold=int(wildcards.fold),
        ),
    shell:
        "python {params.script} --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} --out {output.score:q} > {log:q} 2>&1"


rule select_mlp:
    """
    Choose the candidate with the highest mean validation accuracy over the folds.

    Settings: {params.spec}
    """
    input:
        scores=expand(
            f"{RUN}/mlp/cv/{{candidate}}/fold{{fold}}.json",
            candidate=MLP_GRID,
            fold=range(MLP["folds_to_train"] or MLP["cv"]["folds"]),
        ),
    output:
        selection=f"{RUN}/mlp/selection.json",
    log:
        f"{RUN}/logs/select_mlp.log",
    benchmark:
        f"{RUN}/benchmarks/select_mlp.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        script=script("select_mlp.py"),
        spec=spec("select_mlp.py", dataset=MLP["dataset"]),
    shell:
        "python {params.script} --spec {params.spec:q}"
        " --scores {input.scores:q} --out {output.selection:q} > {log:q} 2>&1"


rule train_mlp:
    """
    Train the selected candidate on the whole training part under seed {wildcards.seed}.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        selection=f"{RUN}/mlp/selection.json",
    output:
        model=f"{RUN}/mlp/final/seed{{seed}}/model.npz",
        history=f"{RUN}/mlp/final/seed{{seed}}/history.json",
    log:
        f"{RUN}/logs/train_mlp/seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_mlp/seed{{seed}}.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        script=script("train_mlp.py"),
        checkpoint=f"{RUN}/.checkpoints/mlp/final/seed{{seed}}",
        spec=lambda wildcards: spec(
            "train_mlp.py",
            **MLP_RECIPE,
            dataset=MLP["dataset"],
            epochs=MLP["epochs"],
            seed=int(wildcards.seed),
            threads=1,
        ),
    shell:
        "python {params.script} --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} --selection {input.selection:q}"
        " --model {output.model:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_mlp:
    """
    Score the final models on the training part and, once, on the test part.

    Settings: {params.spec}
    """
    input:
        data=MLP_IMAGES,
        meta=MLP_META,
        selection=f"{RUN}/mlp/selection.json",
        models=expand(f"{RUN}/mlp/final/seed{{seed}}/model.npz", seed=MLP["seeds"]),
        histories=expand(
            f"{RUN}/mlp/final/seed{{seed}}/history.json", seed=MLP["seeds"]
        ),
    output:
        metrics=f"{RUN}/mlp/metrics.json",
        predictions=f"{RUN}/mlp/predictions.csv",
        examples=f"{RUN}/mlp/examples.npz",
    log:
        f"{RUN}/logs/evaluate_mlp.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_mlp.tsv"
    conda:
        "../../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        script=script("evaluate_mlp.py"),
        spec=spec("evaluate_mlp.py", **stage(MLP, "dataset", "examples")),
    shell:
        "python {params.script} --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q} --selection {input.selection:q}"
        " --models {input.models:q} --histories {input.histories:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q}"
        " --examples {output.examples:q} > {log:q} 2>&1"


REPORT["metrics"].append(f"{RUN}/mlp/metrics.json")
REPORT["histories"] += expand(
    f"{RUN}/mlp/final/seed{{seed}}/history.json", seed=MLP["seeds"]
)
REPORT["predictions"].append(f"{RUN}/mlp/predictions.csv")
REPORT["selections"].append(f"{RUN}/mlp/selection.json")
REPORT["images"].append(f"{RUN}/mlp/examples.npz")
