"""Part 2, sequence to sequence: an encoder-decoder Transformer that learns the genetic code."""


rule prepare_genetic_code:
    """Draw reading frames and translate them by the standard genetic code: {params.spec}."""
    output:
        out=f"{SEQ2SEQ_RUN}/data/sequences.npz",
        meta=f"{SEQ2SEQ_RUN}/data/meta.json",
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
        spec=spec("seq2seq.prepare", seq2seq.PrepareSpec, SEQ2SEQ.data, DATASETS[SEQ2SEQ.dataset]),
    shell:
        "python -m seq2seq.prepare --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule train_seq2seq:
    """Train the encoder-decoder Transformer under seed {wildcards.seed}: {params.spec}."""
    input:
        data=f"{SEQ2SEQ_RUN}/data/sequences.npz",
    output:
        weights=f"{SEQ2SEQ_RUN}/seed{{seed}}/model.safetensors",
        history=f"{SEQ2SEQ_RUN}/seed{{seed}}/history.json",
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
        spec=lambda w: spec("seq2seq.train", seq2seq.TrainSpec, w, SEQ2SEQ, SEQ2SEQ.training),
    shell:
        "python -m seq2seq.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_seq2seq:
    """Translate the held-out reading frames with each seed's model: {params.spec}."""
    input:
        data=f"{SEQ2SEQ_RUN}/data/sequences.npz",
        meta=f"{SEQ2SEQ_RUN}/data/meta.json",
        weights=per_seed(f"{SEQ2SEQ_RUN}/seed{{seed}}/model.safetensors", SEQ2SEQ.seeds),
        histories=per_seed(f"{SEQ2SEQ_RUN}/seed{{seed}}/history.json", SEQ2SEQ.seeds),
    output:
        metrics=f"{SEQ2SEQ_RUN}/metrics.json",
        predictions=f"{SEQ2SEQ_RUN}/predictions.csv",
        attention=f"{SEQ2SEQ_RUN}/attention.npz",
        positions=f"{SEQ2SEQ_RUN}/positions.npz",
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
        order=SEQ2SEQ.seeds,
        spec=spec("seq2seq.evaluate", seq2seq.EvaluateSpec, SEQ2SEQ),
    shell:
        "python -m seq2seq.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
