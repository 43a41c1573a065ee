"""Draws what a tmux pane showed as an SVG, still or moving: how the pictures of the documents are made.

tmux new-session -d -s shot -x 118 -y 27
python docs/pictures/terminal.py record frames.json shot     # while the command runs in it; Ctrl-C ends it
python docs/pictures/terminal.py draw frames.json live.svg --speed 2
python docs/pictures/terminal.py draw frames.json end.svg --still
"""

import argparse
import json
import re
import subprocess
import time
from html import escape
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[([\d;]*)m|\x1b\][^\x07]*\x07|\x1b[()][0-9A-B]|\x0f")
WIDTH, HEIGHT, MARGIN = 8.4, 18, 14  # of a character, of a line, around all, in pixels
COLOURS = ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"]
STYLE = (
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;"
    "white-space:pre}.b{font-weight:bold}.d{opacity:.65}"
)


def record(path, session):
    """Note each state of the pane, with its time in seconds, until Ctrl-C."""
    frames, start = [], time.monotonic()
    try:
        while True:
            shown = subprocess.run(
                ["tmux", "capture-pane", "-e", "-p", "-t", session],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            if not frames or shown != frames[-1][1]:
                frames.append([time.monotonic() - start, shown])
            time.sleep(0.1)
    except KeyboardInterrupt:
        path.write_text(json.dumps(frames))


def draw(frames, speed, still):
    """The SVG of frames, each a time and the text of a pane with its escapes."""
    frames = frames[-1:] if still else frames
    shown = [frame.rstrip("\n").split("\n") for _, frame in frames]
    columns = max(len(ESCAPE.sub("", line)) for lines in shown for line in lines)
    rows = max(len(lines) for lines in shown)
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN
    times = [at / speed for at, _ in frames]
    duration = times[-1] + 4
    # A line that many frames show is drawn once, with the spans of time in which it is seen.
    spans = {}
    for number, lines in enumerate(shown):
        end = times[number + 1] if number + 1 < len(frames) else duration
        for row, line in enumerate(lines):
            if not line:
                continue
            spans_here = spans.setdefault((row, line), [])
            if spans_here and spans_here[-1][1] == times[number]:
                spans_here[-1][1] = end
            else:
                spans_here.append([times[number], end])
    body, style = [], [STYLE]
    for number, ((row, line), seen) in enumerate(spans.items()):
        drawn = f'<text y="{MARGIN + (row + 0.75) * HEIGHT:g}">{_line(line)}</text>'
        if still or seen == [[0, duration]]:
            body.append(drawn)
            continue
        steps = [(0, 0)] if seen[0][0] > 0 else []
        for begin, end in seen:
            steps += [(begin, 1), (end, 0)]
        keys = "".join(f"{100 * at / duration:.4g}%{{opacity:{on}}}" for at, on in steps if at < duration)
        last = steps[-2][1] if steps[-1][0] >= duration else 0
        style.append(f"@keyframes k{number}{{{keys}100%{{opacity:{last}}}}}")
        style.append(f"#k{number}{{animation:k{number} {duration:.4g}s step-end infinite}}")
        body.append(f'<g id="k{number}">{drawn}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">'
        f"<style>{''.join(style)}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>{"".join(body)}</svg>\n'
    )


def _line(line):
    """A line's pieces of one colour, each at its column, so that no font moves the next."""
    pieces, at, column, codes = [], 0, 0, []
    for match in [*ESCAPE.finditer(line), None]:
        text = line[at : match.start() if match else len(line)]
        if text.strip():
            pieces.append(
                f'<tspan x="{MARGIN + column * WIDTH:g}" textLength="{len(text) * WIDTH:g}"{_look(codes)}>'
                f"{escape(text)}</tspan>"
            )
        column += len(text)
        if match:
            at = match.end()
            codes = (
                [code for code in [*codes, *_codes(match[1])] if code] if _codes(match[1])[-1:] != [0] else []
            )
    return "".join(pieces)


def _codes(text):
    return [int(code or 0) for code in (text or "").split(";")] if text is not None else []


def _look(codes):
    colour = next(
        (COLOURS[code % 10] for code in reversed(codes) if 30 <= code <= 37 or 90 <= code <= 97), None
    )
    names = " ".join(name for code, name in ((1, "b"), (2, "d")) if code in codes)
    return (f' style="fill:{colour}"' if colour else "") + (f' class="{names}"' if names else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("record", "draw"))
    parser.add_argument("frames", type=Path)
    parser.add_argument("other", help="the tmux session, or the SVG")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--still", action="store_true", help="the last frame alone")
    options = parser.parse_args()
    if options.action == "record":
        record(options.frames, options.other)
    else:
        frames = json.loads(options.frames.read_text())
        Path(options.other).write_text(draw(frames, options.speed, options.still), encoding="utf-8")
