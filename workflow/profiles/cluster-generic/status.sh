#!/usr/bin/env bash
# Snakemake asks after a job by its id: running, success or failed? (here: Slurm's answer)
# A scheduler that does not answer says nothing about the job, which may live on: called failed, it
# would be submitted twice. An id that Slurm has forgotten is another matter.
if ! found=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1); then
    [[ $found == *"Invalid job id"* ]] && echo failed || echo running
    exit
fi
case ${found%%$'\n'*} in
    COMPLETED) echo success ;;
    PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED) echo running ;;
    *) echo failed ;;
esac
