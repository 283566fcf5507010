from snakemake.utils import min_version

min_version("9.19")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"


# What a room hands to the report is planned for all; only the rooms that run have rules.
for room in ROOMS:

    include: f"workflow/rules/{room}_plan.smk"

    if room in SETTINGS.rooms:

        include: f"workflow/rules/{room}.smk"


include: "workflow/rules/report.smk"
include: "workflow/rules/notebooks.smk"
include: "workflow/rules/manifest.smk"


rule all:
    """The leaderboard and the report, through every model, and the record of the run."""
    default_target: True
    # Also what only other results are made of: a file that a failed job left missing is asked for
    # again, although everything that was made of it is still there.
    input:
        RUN_FILES,
        SEARCH_FILES,
        f"{RUN}/manifest.json",
        f"{RUN}/ro-crate-metadata.json",
    localrule: True
