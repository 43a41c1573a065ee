"""`python -m capture.tracker RUN_FOLDER` is the tracker."""

import gc
import sys

from capture.tracker import first_rank

if first_rank.has_it(sys.argv[1]):
    sys.exit(0)

gc.disable()  # nothing that is imported is garbage
from capture.tracker.tracker import main  # noqa: E402

gc.enable()
status = main(sys.argv[1:])
gc.freeze()  # nor is what is left at the end: Python would look through all of it while somebody waits
sys.exit(status)
