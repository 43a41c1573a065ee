"""Files, variables and options put together: the settings of a run.

Loading is on the way of every start: the standard library only.  `schema` checks a file that has changed;
`diagnosis` says for `capture doctor` what comes from where.
"""

from capture.settings.loading import CHOICES, DEFAULTS, Settings, check_backends, layers, load

__all__ = ["CHOICES", "DEFAULTS", "Settings", "check_backends", "layers", "load"]
