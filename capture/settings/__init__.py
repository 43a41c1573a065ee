"""Files, variables and options put together: the settings of a run.

Loading is on the way of every start: the standard library only.  `schema` checks a file that has changed;
`diagnosis` says for `capture doctor` what comes from where.
"""

from capture.settings.loading import CHOICES, DEFAULTS, Layers, Settings, assemble, layers, load
from capture.settings.problems import Problems

__all__ = ["CHOICES", "DEFAULTS", "Layers", "Problems", "Settings", "assemble", "layers", "load"]
