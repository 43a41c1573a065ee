"""Readings to records: final names, counts over the whole run, context; repeated and surplus ones dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capture.console.frames import FINAL, Frame
from capture.language.model import Naming
from capture.parsing.downsampling import Downsampler
from capture.parsing.renaming import Renaming
from capture.parsing.sources import Source
from capture.parsing.state import Reading
from capture.records import Record

_new = tuple.__new__


class RecordBuilder:
    """Makes the records of a run.  `naming` and `downsampler` are what the user's configuration asks for."""

    def __init__(self, naming: Naming | None, downsampler: Downsampler | None) -> None:
        has_names = naming and (naming.rename or naming.drop or naming.scale)
        self._renaming = Renaming(naming) if naming and has_names else None
        self._downsampler = downsampler

    def build(self, parser: str, reading: Reading, frame: Frame | None, source: Source) -> list[Record]:
        """The records to keep now that a parser has read this in a frame: none, this one, one held back."""
        frame = reading.frame or frame
        metrics = self._renaming(reading.metrics) if self._renaming else reading.metrics
        if frame is None or not (metrics or reading.config):
            return []
        series = (parser, *reading.context.items(), *metrics)
        # Whether a bar was only drawn again, with nothing but its clock moved.
        is_redraw = frame.end != "newline" and source.last.get(series) == reading
        source.last[series] = reading
        if is_redraw:
            return []
        record = _record(parser, metrics, reading, frame, source)
        if self._downsampler is None:
            return [record]
        everywhere = (series, *sorted(source.context.items()))
        return self._downsampler.add(everywhere, record, live=frame.end not in FINAL)

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        return self._downsampler.finish() if self._downsampler else []


def _record(
    parser: str, metrics: Mapping[str, float], reading: Reading, frame: Frame, source: Source
) -> Record:
    training, step, epoch = source.restarts.locate(
        parser, metrics, reading.context, reading.step, reading.epoch
    )
    context: dict[str, Any] = {"stream": frame.stream} if frame.stream else {}
    if source.context or reading.context:
        context = {**context, **source.context, **reading.context}
    if training > 1:
        context["fit"] = training
    at = (frame.offset, frame.span)
    # Half the time of `Record(...)`.
    return _new(Record, (frame.time, parser, step, epoch, metrics, context, at, reading.config, None, 0))
