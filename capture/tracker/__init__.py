"""The second process: from the recording to the backends, and the closing block.

`supervisor` starts it from the relay, starts it again and waits for it (the standard library only),
`tracker` is what runs in it.  Its `console` loads the parsers (`run_engine`) when there is something to read,
`logged` reads what the program logs itself, `closing` is the closing block.
"""
