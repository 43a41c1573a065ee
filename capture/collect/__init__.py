"""A stream of many: one run for each pod, host or job whose lines come in one stream.

`keys` says whose a line is; `members` are the runs and record what they print; `tracking` is the thread that
parses and delivers all of them; `collect` reads the stream and is what the command line calls.
"""
