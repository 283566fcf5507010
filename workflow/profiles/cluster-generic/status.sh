#!/usr/bin/env bash
# Snakemake asks after a job by its id: running, success or failed? (here: Slurm's answer)
case $(squeue --noheader --states=all --format=%T --jobs="$1" 2> /dev/null | head -n 1) in
    COMPLETED) echo success ;;
    PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED) echo running ;;
    *) echo failed ;;
esac
