"""Frames to records, by the parsers.

`pipeline` takes chunks of one or many streams, `engine` asks the rules, which `index` finds for a text.
A `rule` recognises a line, an `outcome` says what it means, `state` is what a parser remembers, apart for
each of the `sources` (ranks, workers).  `plans` know the lines that recur: for speed, what a rule makes of
them is written as one Python function (`plan_source`, with `plan_writer` and `plan_expressions`;
`reader_plan` where a reader reads them).  `bars` and `wrapped` know how bars and narrow columns are drawn.
`record_builder` makes the records: under the user's names (`renaming`), counted on after `restarts`, and
fewer with `downsampling`.
"""
