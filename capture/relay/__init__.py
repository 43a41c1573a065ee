"""Bytes from the command to the outside and to the recording.  The standard library only.

`loop` passes them on; `command` starts the command, on pipes or, led by `session`, on a `terminal` of its
own. `stream` is one source and its sink, `signals` what reaches us and is passed on.  `stdin` and `follow`
record what others print.  `tracked` is a recording with its tracker, the same for all three.
"""
