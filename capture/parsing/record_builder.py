"""Readings to records: final names, counts over the whole run, context; repeated and surplus ones dropped."""

from __future__ import annotations

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
        step, epoch, metrics, context, config, own_frame = reading
        frame = own_frame or frame
        if self._renaming:
            metrics = self._renaming(metrics)
        if frame is None or not (metrics or config):
            return []
        _, end, offset, span, time, stream, _ = frame
        series = (parser, *context.items(), *metrics) if context else (parser, *metrics)
        # Whether a bar was only drawn again, with nothing but its clock moved.
        is_redraw = end != "newline" and reading.says_the_same_as(source.last.get(series))
        source.last[series] = reading
        if is_redraw:
            return []
        training, step, epoch = source.restarts.locate(parser, metrics, context, step, epoch)
        shown: dict[str, Any] = {"stream": stream} if stream else {}
        if context or source.context:
            shown = {**shown, **source.context, **context}
        if training > 1:
            shown["fit"] = training
        # Half the time of `Record(...)`.
        record = _new(Record, (time, parser, step, epoch, metrics, shown, (offset, span), config, None, 0))
        if self._downsampler is None:
            return [record]
        everywhere = (series, *sorted(source.context.items()))
        return self._downsampler.add(everywhere, record, live=end not in FINAL)

    def finish(self) -> list[Record]:
        """The records that were still held back when the output ended."""
        return self._downsampler.finish() if self._downsampler else []
