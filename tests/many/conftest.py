"""A real Slurm for the tests that start one."""

from slurm_cluster import slurm

__all__ = ["slurm"]
