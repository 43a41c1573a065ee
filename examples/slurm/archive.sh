#!/bin/bash
# An archive of logs, parsed by an array of Slurm: each task takes every n-th log.
#
#     sbatch --array=0-7 archive.sh LOGS RECORDS
#
# LOGS is a folder of logs (also .gz, .zst); RECORDS a folder on a shared file system, where each task leaves
# one file, with the log's name on each line.
#SBATCH --job-name=archive --cpus-per-task=2
set -euo pipefail
logs=$1 records=$2
mkdir -p "$records"
mapfile -t mine < <(find "$logs" -type f | sort | awk -v n="$SLURM_ARRAY_TASK_COUNT" -v i="$SLURM_ARRAY_TASK_ID" 'NR % n == i')
((${#mine[@]})) || exit 0
# A log of its own keeps its name in the output, too: /dev/null is one more file, and an empty one.
capture parse -j "${SLURM_CPUS_PER_TASK:-1}" "${mine[@]}" /dev/null >"$records/$SLURM_ARRAY_TASK_ID.jsonl"
