"""Part 2, language: a GPT on tinyshakespeare, TinyStories and the stories of a small grammar."""

TEXT = f"{PROCESSED}/{{dataset}}/text"
STORIES = TEXTS["grammar_stories"]


rule generate_stories:
    """Generate the stories of the project's own grammar: {params.spec}."""
    output:
        out=f"{PROCESSED}/grammar_stories/stories.txt",
    log:
        log_of("generate_stories", "grammar_stories"),
    benchmark:
        benchmark_of("generate_stories", "grammar_stories")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=500, minutes=10),
    params:
        options=options,
        spec=spec("gpt.generate_stories", gpt.StoriesSpec, STORIES, STORIES.data),
    shell:
        "python -m gpt.generate_stories --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule prepare_text:
    """Clean the text of {wildcards.dataset}, split it, make tokens of it: {params.spec}."""
    input:
        raw=lambda w: raw_files(w.dataset) or f"{PROCESSED}/{w.dataset}/stories.txt",
    output:
        tokenizer=f"{TEXT}/tokenizer.json",
        train=f"{TEXT}/train.npy",
        val=f"{TEXT}/val.npy",
        test=f"{TEXT}/test.npy",
        meta=f"{TEXT}/meta.json",
    log:
        log_of("prepare_text", "{dataset}"),
    benchmark:
        benchmark_of("prepare_text", "{dataset}")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=lambda w: spec("gpt.prepare", gpt.PrepareSpec, TEXTS[w.dataset].data, **raw_of(w)),
    shell:
        "python -m gpt.prepare --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule train_gpt:
    """Train the GPT on {wildcards.dataset} under seed {wildcards.seed}: {params.spec}."""
    input:
        train=f"{TEXT}/train.npy",
        val=f"{TEXT}/val.npy",
        tokenizer=f"{TEXT}/tokenizer.json",
        meta=f"{TEXT}/meta.json",
    output:
        weights=f"{GPT_RUN}/seed{{seed}}/model.safetensors",
        history=f"{GPT_RUN}/seed{{seed}}/history.json",
    log:
        log_of("train_gpt", "{dataset}.seed{seed}"),
    benchmark:
        benchmark_of("train_gpt", "{dataset}.seed{seed}")
    # The longest jobs start first, so that none is left alone at the end.
    priority: 10
    conda:
        "../../envs/torch.yaml"
    threads: GPT.threads
    resources:
        **need(megabytes=2500, minutes=120),
    params:
        options=options,
        checkpoint=f"{RUN}/.checkpoints/gpt/{{dataset}}/seed{{seed}}",
        spec=lambda w: spec("gpt.train", gpt.TrainSpec, w, *parts(GPT, w, "training")),
    shell:
        "python -m gpt.train --spec {params.spec:q} {params.options:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"


rule evaluate_gpt:
    """Measure each seed's GPT of {wildcards.dataset} on the held-out text, once: {params.spec}."""
    input:
        val=f"{TEXT}/val.npy",
        test=f"{TEXT}/test.npy",
        meta=f"{TEXT}/meta.json",
        weights=per_seed(f"{GPT_RUN}/seed{{seed}}/model.safetensors", GPT.seeds),
        histories=per_seed(f"{GPT_RUN}/seed{{seed}}/history.json", GPT.seeds),
        samples=f"{GPT_RUN}/samples.json",
    output:
        out=f"{GPT_RUN}/metrics.json",
    log:
        log_of("evaluate_gpt", "{dataset}"),
    benchmark:
        benchmark_of("evaluate_gpt", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: GPT.threads
    resources:
        **need(megabytes=2000, minutes=30),
    params:
        options=options,
        spec=lambda w: spec("gpt.evaluate", gpt.EvaluateSpec, *parts(GPT, w, "evaluation")),
    shell:
        "python -m gpt.evaluate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule measure_baselines:
    """Measure n-grams and xz on the held-out text of {wildcards.dataset}: {params.spec}."""
    input:
        train=f"{TEXT}/train.npy",
        val=f"{TEXT}/val.npy",
        test=f"{TEXT}/test.npy",
        tokenizer=f"{TEXT}/tokenizer.json",
        meta=f"{TEXT}/meta.json",
    output:
        out=f"{GPT_RUN}/baselines.json",
    log:
        log_of("measure_baselines", "{dataset}"),
    benchmark:
        benchmark_of("measure_baselines", "{dataset}")
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=2000, minutes=30),
    params:
        options=options,
        spec=lambda w: spec("gpt.measure_baselines", gpt.BaselinesSpec, TEXTS[w.dataset].baselines),
    shell:
        "python -m gpt.measure_baselines --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule sample_gpt:
    """Sample from the GPT of {wildcards.dataset} (first seed): {params.spec}."""
    input:
        weights=f"{GPT_RUN}/seed{GPT.seeds[0]}/model.safetensors",
        train=f"{TEXT}/train.npy",
        val=f"{TEXT}/val.npy",
    output:
        out=f"{GPT_RUN}/samples.json",
    log:
        log_of("sample_gpt", "{dataset}"),
    benchmark:
        benchmark_of("sample_gpt", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: GPT.threads
    resources:
        **need(megabytes=2000, minutes=30),
    params:
        options=options,
        spec=lambda w: spec("gpt.sample", gpt.SampleSpec, *parts(GPT, w, "sampling")),
    shell:
        "python -m gpt.sample --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule trace_gpt:
    """Trace the attention of the GPT of {wildcards.dataset} (first seed): {params.spec}."""
    input:
        weights=f"{GPT_RUN}/seed{GPT.seeds[0]}/model.safetensors",
    output:
        attention=f"{GPT_RUN}/attention.npz",
        positions=f"{GPT_RUN}/positions.npz",
    log:
        log_of("trace_gpt", "{dataset}"),
    benchmark:
        benchmark_of("trace_gpt", "{dataset}")
    conda:
        "../../envs/torch.yaml"
    threads: GPT.threads
    resources:
        **need(megabytes=2000, minutes=10),
    params:
        options=options,
        spec=lambda w: spec("gpt.trace", gpt.TraceSpec, GPT, TEXTS[w.dataset]),
    shell:
        "python -m gpt.trace --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


if BY_HAND:

    include: "gpt_numpy.smk"
