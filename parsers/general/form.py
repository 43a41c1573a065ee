"""Lines that no metric's word marks: their form says that they may be lines of a training.

A line of such a form has a counter by a word (`epoch: 1, iters: 100`), or is below a heading that holds
nothing else, and has names beside numbers.  That is not enough: whether it counts is for `recurrence` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from capture.parsers import vocabulary
from capture.parsers.general import decoration, mapping, other_lines, pairs, positions, scanner
from capture.parsers.general.known_lines import KnownLines
from capture.parsers.general.line import ScannedLine
from capture.parsers.general.tokens import BYTES, RATE, TIME

LONGEST = 1000  # characters
LONGEST_HEADING = 80  # without what frames it
MOST_UNKNOWN = 2  # words more than there are names beside numbers, where a number counts as two
MOST_UNKNOWN_IN_HEADING = 3  # words

# Words of programs that count and measure, too, but train nothing.
_TELEMETRY = re.compile(
    r"(?i)(?<![a-z])(?:get|post|put|fetched|read|reads|write|writes|wrote|written|packets?|ttl|icmp_seq|pid|ports?"
    r"|https?|requests?|req|errors?|warnings?|failed|passed|skipped|loaded|loading|saved|saving|copied|checking"
    r"|users?|cpus?|status|code|exit|returned|usage|used|free|load|limit|conflicts|decisions|nodes|nps|depth|latency"
    r"|duration|bitrate|rows|records|files?|lines?|queue[ds]?|throughput|qps|rps|tps|mspt|ops|buffers?|checkpoints?"
    r"|gc|pauses?|temp|humidity|voltage|price|bid|ask|volume|balance|waiting|pending|swapped|took|players?"
    r"|entities|chunks?|ping|rtt|jitter|upload|upstream|nodes?|replicas?|leader|pods?|containers?|bench(?:mark)?"
    r"|tests?/s|compiled?|compiling|build|cache|hits?|misses|heap|rss|disk|iops|fan|rpm|battery|x|y|z|pos|pose|yaw"
    r"|slots?|peers?|utxo|keys|lag|drift|offset|ratings?|runtime|frag|committed|finalized|pitch|roll|health|hp|damage|kills|frames?|fps|gold|votes?|wins|bets?|clients?|connections?|conns?|sessions?)"
    r"(?![a-z])"
)
# Words of trainings: `step`, `iter` and `round` count in other programs, too.
_TRAINING = re.compile(
    r"(?i)(?<![a-z])(?:epochs?|ep|episodes?|generation|kimg|iterate|learning|train(?:ing|ed|er)?|val(?:id(?:ation)?)?|eval\w*"
    r"|loss(?:es)?|acc|accuracy|lr|grad\w*|entropy|kld?|rew(?:ards?)?|return|fitness|objective|residuals?|critic"
    r"|actor|polic(?:y|ies)|advantages?|adv|disc(?:riminator)?|generator|recon\w*|[mr]+se|mae|nll|elbo|ppl|bp[cbd]"
    r"|lik(?:elihood)?|rms|logp\w*|eps(?:ilon)?|sparsity|regulari[sz]\w*|penalty|augment\w*|agents?|population|species|margin"
    r"|score|t?err(?:or)?|obj|precision|recall|f1|fid|psnr|ssim|iou|dice|auc|[dgq]_\w+)(?![a-z])"
)
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Names of times, sizes and rates: that they change says nothing.
_BESIDE = re.compile(
    r"(?i)(?:^|[\W_])(?:times?|eta|elapsed|remaining|runtime|clock|wall|sec|secs|seconds?|ms|minutes?|hours?|days?|dt"
    r"|mem|memory|gpu\w*|cpu\w*|fps|sps|ips|speed|throughput|size|bytes|params?|parameters|seed|id|idx|rank|device"
    r"|timestamp|tflops|tokens|tok|utterances|count|num|total|per|samples"
    r"|rate|p\d\d\d?|progress|percent|done|complete|completed|maintenance|reserved|version|data)(?:$|[\W_])|_s$"
)
_ADDRESS = re.compile(
    r"(?<![\w)\]])[~.]?/[\w.-]+/|\w://|[\w-]+@[\w-]+|\d+\.\d+\.\d+|(?<![\w.])(?=\d*[a-f])[0-9a-f]{12,}(?!\w)"
)
_PAIR = re.compile(
    r"[A-Za-z_)\]%@][@\d]{0,4}['\"]?\s{0,20}[:=|│┃]{0,2}\s{0,20}[\[(]?[-+]?"
    r"(?:[\d,]*\.\d|\d\.|\de[-+]?\d|(?i:nan|inf)(?!\w))"
)
_DECIMAL = re.compile(r"\d\.|\.\d|\de-?\d|(?i:nan|inf)$")
_UNIT = re.compile(rf"\s?(?:{TIME}|{BYTES}|{RATE}|m|mins?|h|x|it)(?![\w])(?!\s*[:=])|/(?:s|sec|it)\b")
_COUNTER_TEXT = (
    r"(?i)(?<![a-z])(?:epoch|ep|t_env|step|iter|iteration|iterate|itr|timestep|episode|generation|gen|tick|round|update|batch"
    r"|minibatch|mini-batch)s?(?:\([a-z]+\)|\.|['\"])?\s{0,8}(?:[:=#,]|no\.?)?\s{0,8}[\[(]?\s{0,8}"
)
_COUNTER, _COUNTER_BEFORE = re.compile(_COUNTER_TEXT + r"\d"), re.compile(_COUNTER_TEXT + "$")
_TOTAL_BEFORE = re.compile(r"(?i)(?:total|num|number of)[ _-]?[a-z]+\W*$|[a-z](?:s\W*)$")
_MOST_BEFORE = re.compile(r"(?i)max\w*[ _-]?[a-z]+\W*$")


class Form(NamedTuple):
    """A line that may be one of a training, or the heading of such lines; the same in all lines of one shape.

    names: of its metrics
    changing: those of them whose numbers are expected to change: not times, sizes, rates and whole numbers
    has_counter: whether it says itself, by a word, how far the run is
    is_heading: whether it says nothing else
    is_of_training: whether a word says that this is a training
    is_list: whether it is made of names with numbers alone, and none of them is a setting
    is_total: whether it is a heading that may say how many there are to be: `Num steps: 20000`
    """

    line: ScannedLine
    names: tuple[str, ...]
    changing: tuple[str, ...]
    has_counter: bool
    is_heading: bool
    is_of_training: bool
    is_list: bool = False
    is_total: bool = False


class FormScan(NamedTuple):
    """The form of a line, None if it has none, and the text that the spans of its numbers are in."""

    form: Form | None
    text: str


_NO_FORM = FormScan(None, "")
_known: KnownLines[FormScan] = KnownLines()


def of(text: str, below_heading: bool) -> FormScan:
    """The form of a line; one that is below no heading has to have a counter, or to be of a list."""
    if not _may_have_one(text, below_heading):
        return _NO_FORM
    known = _known.get(text)
    if known is None or (known.form and not known.form.line.holds_for(text)):
        known = _scan(text)
    form, plain = known
    if form is None or not (form.has_counter or below_heading or form.is_list):
        return _NO_FORM
    return FormScan(form, plain or text)


def rejects(text: str) -> bool:
    """Whether it is known that no line of this one's shape has a form that is below no heading.

    Lines of one shape differ in their numbers alone, not in the digits of names.
    """
    if not _may_have_one(text, below_heading=False):
        return True
    known = _known.get(text)
    return known is not None and not (known.form and (known.form.has_counter or known.form.is_list))


def _may_have_one(text: str, below_heading: bool) -> bool:
    if len(text) > LONGEST or not (_PAIR.search(text) or len(text.strip(" \t=-*#")) <= LONGEST_HEADING):
        return False
    if below_heading or vocabulary.holds_metric(text):
        return True
    return vocabulary.holds_counter(text) and _COUNTER.search(text) is not None


def _scan(text: str) -> FormScan:
    """The form of a line; the text is left out if it is the line's own."""
    if (start := mapping.start(text)) >= 0:
        return _scan_mapping(text, start)
    plain, before_bar = decoration.remove(text)
    is_plain = plain == text
    if before_bar is not None or other_lines.is_other(plain) or _is_telemetry(plain):
        form, reusable = None, is_plain
    else:
        line = scanner.find(plain, at_letter=AT_LETTER)
        form, reusable = _form(line, plain), is_plain and not line.depends_on_digits
    scan = FormScan(form, "" if is_plain else plain)
    if reusable:
        _known.add(text, scan)
    return scan


def _scan_mapping(text: str, start: int) -> FormScan:
    """The form of a line that ends in a mapping: `{"itr": 100, "IS": 2.5}`."""
    line, _, reusable = mapping.scan_any(text, start)
    form = None
    if line and not _is_telemetry(text):
        changing = tuple(name for name in line.metrics if _is_changing(name, line, text))
        has_counter = bool(line.positions)
        form = (
            Form(line, tuple(line.metrics), changing, has_counter, False, _is_of_training(text))
            if changing
            else None
        )
    scan = FormScan(form, "")
    if reusable:
        _known.add(text, scan)
    return scan


def _is_of_training(text: str) -> bool:
    return _TRAINING.search(_CAMEL_CASE.sub("_", text)) is not None


def _form(line: ScannedLine, text: str) -> Form | None:
    counters = [line.positions[name].start for name in ("epoch", "step") if name in line.positions]
    has_counter = any(_COUNTER_BEFORE.search(text, 0, start) for start in counters)
    changing = tuple(name for name in line.metrics if _is_changing(name, line, text))
    is_of_training = _is_of_training(text) or {"D", "G"} <= line.metrics.keys()
    is_list = is_list_of_pairs(line) and not any(_is_setting(name, line, text) for name in line.metrics)
    if not changing:
        is_heading = has_counter and _is_heading(line, text, counters)
        if not is_heading and not is_list:
            return None
        is_total = is_heading and any(_TOTAL_BEFORE.search(text, 0, start) for start in counters)
        return Form(line, tuple(line.metrics), (), has_counter, is_heading, is_of_training, is_list, is_total)
    if line.unknown_words + 2 * line.unknown_numbers > len(line.metrics) + MOST_UNKNOWN:
        return None
    if counters and not has_counter:  # a number that no word calls a counter
        return None
    return Form(line, tuple(line.metrics), changing, has_counter, False, is_of_training, is_list)


def _is_setting(name: str, line: ScannedLine, text: str) -> bool:
    """Whether a name in a list is that of a setting: that of numbers is a whole number, `precision: 16`."""
    is_share = name.lower() == "precision" and _is_changing(name, line, text)
    return vocabulary.is_hyperparameter(name) and not is_share


def is_list_of_pairs(line: ScannedLine) -> bool:
    """Whether a line is made of names with numbers alone: `kl: 0.1, clip: 0.2`."""
    return (
        not line.positions
        and not line.unknown_words
        and not line.unknown_numbers
        and bool(line.metrics)
        and (line.has_sign or not any(" " in name for name in line.metrics))
    )


def _is_heading(line: ScannedLine, text: str, counters: Iterable[int]) -> bool:
    """Whether a line says how far the run is and nothing else; the most that there may be is no counter."""
    return (
        not line.unknown_numbers
        and line.unknown_words <= MOST_UNKNOWN_IN_HEADING
        and sum(_BESIDE.search(name) is None for name in line.metrics) <= 1
        and not any(_MOST_BEFORE.search(text, 0, start) for start in counters)
    )


def _is_changing(name: str, line: ScannedLine, text: str) -> bool:
    start, end, _ = line.metrics[name]
    return (
        _DECIMAL.search(text, start, end) is not None
        and _UNIT.match(text, end) is None
        and (_BESIDE.search(name) is None or vocabulary.is_learning_rate(name))
    )


def _is_telemetry(text: str) -> bool:
    return _TELEMETRY.search(text) is not None or _ADDRESS.search(text) is not None


AT_LETTER = [positions.named, pairs.any_pair, scanner.word]
