"""Files, tables, images and plots that a command leaves behind: found, read once they are whole, and noted.

`rules` (what the configuration asks for), `finding` (which files fit), `whole` (whether one is still being
written), `tables` and `plots` (what is made of them), `svg` (a plot as a picture), `keeping` (the entry of a
version), `history` (the metrics at that moment), `queue` (`files.jsonl`), and `collector`, the thread that
does it beside the command.
"""
