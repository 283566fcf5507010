"""Part 2, sequence to sequence: an encoder-decoder Transformer that learns the genetic code."""

import seq2seq.settings

SEQ2SEQ = SETTINGS.seq2seq


rule prepare_genetic_code:
    """Draw reading frames and translate them by the standard genetic code: {params.spec}."""
    output:
        out=f"{RUN}/seq2seq/data/sequences.npz",
        meta=f"{RUN}/seq2seq/data/meta.json",
    log:
        log_of("prepare_genetic_code"),
    benchmark:
        benchmark_of("prepare_genetic_code")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=spec(
            "seq2seq.prepare",
            seq2seq.settings.PrepareSpec,
            SEQ2SEQ.data,
            about=DATASETS[SEQ2SEQ.dataset].about,
        ),
    shell:
        "python -m seq2seq.prepare --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule train_seq2seq:
    """Train the encoder-decoder Transformer on {input.data} under seed {wildcards.seed}:
    {params.spec}.
    """
    input:
        data=f"{RUN}/seq2seq/data/sequences.npz",
    output:
        weights=f"{RUN}/seq2seq/seed{{seed}}/model.safetensors",
        history=f"{RUN}/seq2seq/seed{{seed}}/history.json",
    log:
        log_of("train_seq2seq", "seed{seed}"),
    benchmark:
        benchmark_of("train_seq2seq", "seed{seed}")
    conda:
        "../../envs/torch.yaml"
    threads: SEQ2SEQ.threads
    resources:
        **need(megabytes=2000, minutes=60),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/seq2seq/seed{{seed}}",
        spec=lambda w: spec(
            "seq2seq.train", seq2seq.settings.TrainSpec, w, SEQ2SEQ, SEQ2SEQ.training
        ),
    shell:
        "python -m seq2seq.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_seq2seq:
    """Translate the held-out reading frames with each seed's model: {params.spec}."""
    input:
        data=f"{RUN}/seq2seq/data/sequences.npz",
        meta=f"{RUN}/seq2seq/data/meta.json",
        weights=expand(f"{RUN}/seq2seq/seed{{seed}}/model.safetensors", seed=SEQ2SEQ.seeds),
        histories=expand(f"{RUN}/seq2seq/seed{{seed}}/history.json", seed=SEQ2SEQ.seeds),
    output:
        metrics=f"{RUN}/seq2seq/metrics.json",
        predictions=f"{RUN}/seq2seq/predictions.csv",
        attention=f"{RUN}/seq2seq/attention.npz",
        positions=f"{RUN}/seq2seq/positions.npz",
    log:
        log_of("evaluate_seq2seq"),
    benchmark:
        benchmark_of("evaluate_seq2seq")
    conda:
        "../../envs/torch.yaml"
    threads: SEQ2SEQ.threads
    resources:
        **need(megabytes=2000, minutes=20),
    params:
        options=options,
        # The first one's model predicts: their order counts, which inputs do not tell.
        order=SEQ2SEQ.seeds,
        spec=spec("seq2seq.evaluate", seq2seq.settings.EvaluateSpec, SEQ2SEQ),
    shell:
        "python -m seq2seq.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


# predictions.csv holds translations, not classes: it is not for the confusion matrices.
REPORT["metrics"].append(f"{RUN}/seq2seq/metrics.json")
REPORT["histories"] += expand(f"{RUN}/seq2seq/seed{{seed}}/history.json", seed=SEQ2SEQ.seeds)
REPORT["attention"].append(f"{RUN}/seq2seq/attention.npz")
REPORT["positions"].append(f"{RUN}/seq2seq/positions.npz")
