#!/bin/bash
# A training on Slurm: `srun -l` says which task has printed a line, --ranks what is charted of them.
#
#     sbatch train.sh python train.py
#
# One run for the whole job, also when it is requeued.
#SBATCH --ntasks=2 --requeue
exec capture --id "slurm-$SLURM_JOB_ID" --resume allow --ranks mean -- srun -l "$@"
