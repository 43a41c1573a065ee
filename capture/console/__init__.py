"""Bytes to lines.  Knows no parser.

`frames` splits a stream into states of its lines, `prefixes` takes off what launchers and loggers put
before a line, `screen` turns frames into finished lines, as a log shows them.
"""
