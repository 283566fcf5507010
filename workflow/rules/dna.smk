"""Part 2, DNA: an encoder-only Transformer that classifies sequences (GUE, StatLog, your own)."""


rule prepare_dna:
    """Make tokens of {wildcards.dataset}, split into train, val and test: {params.spec}."""
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
            "dna.prepare",
            dna.PrepareSpec,
            DNA_SETS[w.dataset].data,
            DNA_SETS[w.dataset],
            **raw_of(w),
        ),
    shell:
        "python -m dna.prepare --spec {params.spec:q} {params.raw:q} {params.options:q}"
        " > {log:q} 2>&1"


rule measure_dna_baselines:
    """Measure GC content, k-mers, boosted trees and a CNN on {wildcards.dataset}: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    output:
        out=f"{DNA_RUN}/baselines.json",
    log:
        log_of("measure_dna_baselines", "{dataset}"),
    benchmark:
        benchmark_of("measure_dna_baselines", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=2000, minutes=60),
    params:
        options=options,
        spec=lambda w: spec(
            "dna.baselines",
            dna.BaselinesSpec,
            *parts(DNA, w, "baselines"),
            seed=DNA_SEEDS[w.dataset][0],
        ),
    shell:
        "python -m dna.baselines --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule pretrain_dna:
    """Pretrain the DNA encoder on the training sequences of {wildcards.dataset}: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    output:
        weights=f"{DNA_RUN}/pretrained/model.safetensors",
        history=f"{DNA_RUN}/pretrained/history.json",
    log:
        log_of("pretrain_dna", "{dataset}"),
    benchmark:
        benchmark_of("pretrain_dna", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=1500, minutes=60),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/dna/{{dataset}}/pretrained",
        spec=lambda w: spec(
            "dna.pretrain",
            dna.PretrainSpec,
            *parts(DNA, w, "pretraining"),
            DNA_SETS[w.dataset].training,
            seed=DNA_SEEDS[w.dataset][0],
        ),
    shell:
        "python -m dna.pretrain --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule train_dna:
    """Train the DNA classifier on {wildcards.dataset} under seed {wildcards.seed}: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        choice=lambda w: (
            f"{RUN}/dna/{chooser(w.dataset)}/choice.json" if candidates(w.dataset) else []
        ),
        start=lambda w: (
            f"{DNA_RUN}/pretrained/model.safetensors".format(dataset=w.dataset)
            if DNA_SETS[w.dataset].pretraining.epochs
            else []
        ),
    output:
        weights=f"{DNA_RUN}/seed{{seed}}/model.safetensors",
        history=f"{DNA_RUN}/seed{{seed}}/history.json",
    log:
        log_of("train_dna", "{dataset}.seed{seed}"),
    benchmark:
        benchmark_of("train_dna", "{dataset}.seed{seed}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=1500, minutes=60),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/dna/{{dataset}}/seed{{seed}}",
        spec=lambda w: spec(
            "dna.train",
            dna.TrainSpec,
            w,
            *parts(DNA, w, "training"),
            candidates=candidates(w.dataset),
        ),
    shell:
        "python -m dna.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule try_dna:
    """Train candidate {wildcards.number} on {wildcards.dataset} briefly: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    output:
        weights=f"{DNA_RUN}/candidate{{number}}/model.safetensors",
        history=f"{DNA_RUN}/candidate{{number}}/history.json",
    log:
        log_of("try_dna", "{dataset}.candidate{number}"),
    benchmark:
        benchmark_of("try_dna", "{dataset}.candidate{number}")
    wildcard_constraints:
        number=r"\d+",
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=1500, minutes=60),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/dna/{{dataset}}/candidate{{number}}",
        spec=lambda w: spec(
            "dna.train",
            dna.TrainSpec,
            candidates(w.dataset)[int(w.number)],
            DNA_SETS[w.dataset].choice,
            *parts(DNA, w, "training"),
            seed=DNA_SEEDS[w.dataset][0],
            candidates=[],
        ),
    shell:
        "python -m dna.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule choose_dna:
    """Choose the model of {wildcards.dataset} by its val split: {params.spec}."""
    input:
        histories=lambda w: [
            f"{DNA_RUN}/candidate{number}/history.json".format(dataset=w.dataset)
            for number in range(len(candidates(w.dataset)))
        ],
    output:
        out=f"{DNA_RUN}/choice.json",
    log:
        log_of("choose_dna", "{dataset}"),
    benchmark:
        benchmark_of("choose_dna", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    resources:
        **need(megabytes=600, minutes=5),
    params:
        options=options,
        spec=lambda w: spec("dna.choose", dna.ChooseSpec, candidates=candidates(w.dataset)),
    shell:
        "python -m dna.choose --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule evaluate_dna:
    """Evaluate all seeds' classifiers of {wildcards.dataset} on the test split: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        weights=lambda w: of_dna_seeds("model.safetensors", w.dataset),
        histories=lambda w: of_dna_seeds("history.json", w.dataset),
    output:
        metrics=f"{DNA_RUN}/metrics.json",
        predictions=f"{DNA_RUN}/predictions.csv",
        submission=f"{DNA_RUN}/submission.csv",
        attention=f"{DNA_RUN}/attention.npz",
        curves=f"{DNA_RUN}/curves.json",
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
        order=lambda w: DNA_SEEDS[w.dataset],
        spec=spec("dna.evaluate", dna.EvaluateSpec, DNA),
    shell:
        "python -m dna.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule find_dna_motifs:
    """Find the motifs by which the first seed's model knows {wildcards.dataset}: {params.spec}."""
    input:
        data=f"{PROCESSED}/{{dataset}}/sequences.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        weights=lambda w: of_dna_seeds("model.safetensors", w.dataset)[0],
    output:
        out=f"{DNA_RUN}/motifs.json",
    log:
        log_of("find_dna_motifs", "{dataset}"),
    benchmark:
        benchmark_of("find_dna_motifs", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: DNA.threads
    resources:
        **need(megabytes=1500, minutes=20),
    params:
        options=options,
        spec=lambda w: spec(
            "dna.find_motifs", dna.MotifsSpec, DNA, DNA.motifs, seed=DNA_SEEDS[w.dataset][0]
        ),
    shell:
        "python -m dna.find_motifs --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule summarise_dna:
    """Say in words what came out for one's own sequences, {wildcards.dataset}: {params.spec}."""
    input:
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
        leaderboard=f"{RUN}/leaderboard.csv",
        histories=lambda w: of_dna_seeds("history.json", w.dataset),
        choice=lambda w: (
            f"{RUN}/dna/{chooser(w.dataset)}/choice.json" if candidates(w.dataset) else []
        ),
    output:
        out=f"{DNA_RUN}/summary.md",
        record=f"{DNA_RUN}/summary.json",
    log:
        log_of("summarise_dna", "{dataset}"),
    benchmark:
        benchmark_of("summarise_dna", "{dataset}")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=600, minutes=5),
    params:
        options=options,
        spec=lambda w: spec(
            "dna.summarise",
            dna.SummariseSpec,
            w,
            report=f"{RUN}/report.html",
            folder=DNA_RUN.format(dataset=w.dataset),
            seed=DNA_SEEDS[w.dataset][0],
        ),
    shell:
        "python -m dna.summarise --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
