"""Experiment tracking for training programs that can't be changed: `capture -- python train.py`."""

__version__ = "0.1.0"
