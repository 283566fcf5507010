"""docs/part1.md and part2.md as notebooks, executed: their examples, and what this run found."""

from notebooks import imported

PAGES = {"part1": ["mlp"], "part2": ["vision", "gpt", "dna", "seq2seq"]}
NOTEBOOKS = [
    f"{RUN}/notebooks/{page}.ipynb" for page, rooms in PAGES.items() if set(rooms) & set(CHOSEN)
]


rule build_notebook:
    """Execute docs/{wildcards.page}.md beside what run {config[run]} found."""
    input:
        page=os.path.relpath(REPOSITORY / "docs" / "{page}.md"),
        run=lambda w: [
            f"{RUN}/leaderboard.csv",
            f"{RUN}/accuracy_by_split.csv",
            *[path for path in RECORDS if figures.room(path, RUN) in PAGES[w.page]],
            *[path for path, figure in zip(DRAWN, FIGURES) if figure.room in PAGES[w.page]],
        ],
    output:
        out=report(
            f"{RUN}/notebooks/{{page}}.ipynb", **figures.where("notebook", "Notebooks", "{page}")
        ),
    log:
        log_of("build_notebook", "{page}"),
    benchmark:
        benchmark_of("build_notebook", "{page}")
    conda:
        "../../envs/notebook.yaml"
    resources:
        **need(megabytes=1500, minutes=10),
    params:
        options=options,
        # The page is an input; the code that its cells import is not, and so its hash is here.
        spec=lambda w: spec(
            "reporting.build_notebook",
            dict,
            modules={
                name: code_hash(SCRIPTS, name)
                for name in imported(REPOSITORY / "docs" / f"{w.page}.md", SCRIPTS)
            },
        ),
    shell:
        "python -m reporting.build_notebook --spec {params.spec:q} {params.options:q}"
        " > {log:q} 2>&1"
