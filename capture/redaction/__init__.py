"""Secrets are masked in all that is kept of a run, but for its recording, and in all that leaves the machine.

Four ways to know one: it is the value of a variable whose name says so, it has the shape of a known token
(`shapes`), it is beside a name that says so (`names`, `beside`), or between BEGIN and END (`blocks`).
`redactor` puts them together.  The terminal and `console.log` are not touched.

On the way of every start: the standard library only.
"""

from capture.redaction.names import Secrecy, is_secret, secrecy
from capture.redaction.redactor import MASK, SHORTEST, Lines, Redactor

__all__ = ["MASK", "SHORTEST", "Lines", "Redactor", "Secrecy", "is_secret", "secrecy"]
