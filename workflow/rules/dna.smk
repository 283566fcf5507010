"""Part 2, DNA: an encoder-only Transformer that classifies sequences (GUE, StatLog)."""

import dna.settings

DNA = SETTINGS.dna
DNA_SETS = DNA.settings  # of each data set


rule prepare_dna:
    """Turn the sequences of {wildcards.dataset} into tokens, split into train, val and test:
    {params.spec}.
    """
    input:
        lambda w: raw_files(w.dataset),
    output:
        out=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    log:
        log_of("prepare_dna", "{dataset}"),
    benchmark:
        benchmark_of("prepare_dna", "{dataset}")
    wildcard_constraints:
        dataset="|".join(DNA_SETS),
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        raw=lambda w: (["--raw", f"{RAW}/{w.dataset}"] if raw_files(w.dataset) else []),
        spec=lambda w: spec(
            "dna.prepare", dna.settings.PrepareSpec, DNA_SETS[w.dataset].data, **raw_of(w.dataset)
        ),
    shell:
        "python -m dna.prepare --spec {params.spec:q} {params.raw:q} {params.options:q}"
        " > {log:q} 2>&1"


rule train_dna:
    """Train the DNA classifier on {wildcards.dataset} under seed {wildcards.seed}: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    output:
        weights=f"{RUN}/dna/{{dataset}}/seed{{seed}}/model.safetensors",
        history=f"{RUN}/dna/{{dataset}}/seed{{seed}}/history.json",
    log:
        log_of("train_dna", "{dataset}.seed{seed}"),
    benchmark:
        benchmark_of("train_dna", "{dataset}.seed{seed}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=2000, minutes=60),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/dna/{{dataset}}/seed{{seed}}",
        spec=lambda w: spec(
            "dna.train",
            dna.settings.TrainSpec,
            w,
            DNA,
            DNA_SETS[w.dataset],
            DNA_SETS[w.dataset].training,
        ),
    shell:
        "python -m dna.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_dna:
    """Evaluate the classifiers of {wildcards.dataset}, all seeds, on the test split, once:
    {params.spec}.
    """
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        weights=expand(f"{RUN}/dna/{{{{dataset}}}}/seed{{seed}}/model.safetensors", seed=DNA.seeds),
        histories=expand(f"{RUN}/dna/{{{{dataset}}}}/seed{{seed}}/history.json", seed=DNA.seeds),
    output:
        metrics=f"{RUN}/dna/{{dataset}}/metrics.json",
        predictions=f"{RUN}/dna/{{dataset}}/predictions.csv",
        submission=f"{RUN}/dna/{{dataset}}/submission.csv",
        attention=f"{RUN}/dna/{{dataset}}/attention.npz",
    log:
        log_of("evaluate_dna", "{dataset}"),
    benchmark:
        benchmark_of("evaluate_dna", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=2000, minutes=20),
    params:
        options=options,
        # Attention is the first one's model's: their order counts, which inputs do not tell.
        order=DNA.seeds,
        spec=lambda w: spec("dna.evaluate", dna.settings.EvaluateSpec, DNA, DNA_SETS[w.dataset]),
    shell:
        "python -m dna.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


for name in DNA.datasets:
    REPORT["metrics"].append(f"{RUN}/dna/{name}/metrics.json")
    REPORT["histories"] += [f"{RUN}/dna/{name}/seed{seed}/history.json" for seed in DNA.seeds]
    REPORT["predictions"].append(f"{RUN}/dna/{name}/predictions.csv")
    REPORT["submissions"].append(f"{RUN}/dna/{name}/submission.csv")
    REPORT["attention"].append(f"{RUN}/dna/{name}/attention.npz")
