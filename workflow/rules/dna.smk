"""Part 2, DNA: an encoder-only Transformer that classifies sequences (GUE, StatLog)."""

from dataset_about import about

DNA = sorted(
    name for name in DATASETS if DATASETS[name]["task"] == "dna_classification"
)


rule prepare_dna:
    """
    Turn the sequences of {wildcards.dataset} into tokens, split into train, dev and test.

    Settings: {params.spec}
    """
    input:
        lambda wildcards: raw_files(wildcards.dataset),
    output:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    log:
        f"{RUN}/logs/prepare_dna/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_dna/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(DNA),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        raw=lambda wildcards: (
            ["--raw", f"{RAW}/{wildcards.dataset}"]
            if raw_files(wildcards.dataset)
            else []
        ),
        spec=lambda wildcards: spec(
            "dna.prepare",
            dataset=wildcards.dataset,
            raw=raw_sums(wildcards.dataset),
            about=about(DATASETS[wildcards.dataset]),
            **config["dna"]["settings"][wildcards.dataset]["data"],
        ),
    shell:
        "python -m dna.prepare --spec {params.spec:q} {params.raw:q}"
        " --out {output.data:q} --meta {output.meta:q} > {log:q} 2>&1"


rule train_dna:
    """
    Train the DNA classifier on {wildcards.dataset} under seed {wildcards.seed}.

    Settings: {params.spec}
    """
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    output:
        weights=f"{RUN}/dna/{{dataset}}/seed{{seed}}/model.safetensors",
        history=f"{RUN}/dna/{{dataset}}/seed{{seed}}/history.json",
    log:
        f"{RUN}/logs/train_dna/{{dataset}}.seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_dna/{{dataset}}.seed{{seed}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["dna"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=60,
    params:
        checkpoint=f"{RUN}/.checkpoints/dna/{{dataset}}/seed{{seed}}",
        spec=lambda wildcards: spec(
            "dna.train",
            seed=int(wildcards.seed),
            threads=config["dna"]["threads"],
            **stage(
                config["dna"]["settings"][wildcards.dataset], "model", "both_strands"
            ),
            **config["dna"]["settings"][wildcards.dataset]["training"],
        ),
    shell:
        "python -m dna.train --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q}"
        " --weights {output.weights:q} --history {output.history:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_dna:
    """
    Evaluate the classifiers of {wildcards.dataset}, all seeds, on the test split, once.

    Settings: {params.spec}
    """
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        weights=expand(
            f"{RUN}/dna/{{{{dataset}}}}/seed{{seed}}/model.safetensors",
            seed=config["dna"]["seeds"],
        ),
        histories=expand(
            f"{RUN}/dna/{{{{dataset}}}}/seed{{seed}}/history.json",
            seed=config["dna"]["seeds"],
        ),
    output:
        metrics=f"{RUN}/dna/{{dataset}}/metrics.json",
        predictions=f"{RUN}/dna/{{dataset}}/predictions.csv",
        submission=f"{RUN}/dna/{{dataset}}/submission.csv",
        attention=f"{RUN}/dna/{{dataset}}/attention.npz",
    log:
        f"{RUN}/logs/evaluate_dna/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_dna/{{dataset}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["dna"]["threads"]
    resources:
        mem_mb=memory(2000),
        runtime=20,
    params:
        # Attention is the first one's model's: their order counts, which inputs do not tell.
        order=config["dna"]["seeds"],
        spec=lambda wildcards: spec(
            "dna.evaluate",
            threads=config["dna"]["threads"],
            **stage(
                config["dna"]["settings"][wildcards.dataset], "model", "both_strands"
            ),
        ),
    shell:
        "python -m dna.evaluate --spec {params.spec:q}"
        " --data {input.data:q} --meta {input.meta:q}"
        " --weights {input.weights:q} --histories {input.histories:q}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q}"
        " --submission {output.submission:q} --attention {output.attention:q}"
        " > {log:q} 2>&1"


for name in ("metrics.json", "predictions.csv", "submission.csv", "attention.npz"):
    kind = {"submission.csv": "submissions"}.get(name, name.split(".")[0])
    REPORT[kind] += expand(
        f"{RUN}/dna/{{dataset}}/{name}", dataset=config["dna"]["datasets"]
    )
REPORT["histories"] += expand(
    f"{RUN}/dna/{{dataset}}/seed{{seed}}/history.json",
    dataset=config["dna"]["datasets"],
    seed=config["dna"]["seeds"],
)
