"""Files, variables and options put together: the settings of a run.

`loading` puts together what `layers` finds; `schema` checks a file that has changed, and `capture.cache`
remembers what it held.  All but `schema` are on the way of every start: the standard library only.
`diagnosis` says for `capture doctor` what comes from where.
"""

from capture.settings.layers import CHOICES, DEFAULTS, Layers, Settings, layers_of
from capture.settings.loading import assemble, load
from capture.settings.problems import Problems

__all__ = ["CHOICES", "DEFAULTS", "Layers", "Problems", "Settings", "assemble", "layers_of", "load"]
