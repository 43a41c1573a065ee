"""Bytes from the command to the outside and to the recording.  The standard library only.

`plan` decides which stream is a terminal and which a pipe, `start` and `command` start the command so,
`loop` passes bytes and signals on until it has ended.  On a `terminal` of its own a session leader
(`session`) leads it.  `stream` is one source and its sink, `signals` and `self_pipe` what reaches us.
`stdin` and `follow` record what others print, `attach` what a program prints that uses the Python door.
`tracked` is a recording with its tracker, the same for all of them.
"""
