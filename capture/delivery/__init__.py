"""Records to backends.  The run's folder is the only queue.

`adapter` is the border: what a backend can do; `registry` finds adapters by name.  `delivery` starts a
`worker` for each backend, which reads `channels` (rows, config, load, console) by position.  `rows` and
`naming` give records their final names and axes, `axes` knows those of parsers; `console_reader` reads
finished lines from the recording.  `stored_run` is `capture.open_run`.
"""
