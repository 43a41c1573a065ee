"""Frames to records, by the parsers.

`pipeline` takes chunks of one or many streams, `engine` asks the rules, which `index` finds for a text.  A
`rule` recognises a line, an `outcome` says what it means, `state` is what a parser remembers.  `bars` and
`wrapped` know how bars and narrow columns are drawn; `restarts` and `downsampling` look at the records that
come out.
"""
