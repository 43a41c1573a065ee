"""What is in growing files of JSON lines in the run's folder: samples of the load, and alerts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from capture import runs
from capture.delivery.adapter import Adapter
from capture.records import Alert, SystemSample
from capture.redaction import Redactor

Item = TypeVar("Item")

log = logging.getLogger(__name__)


class Appended(Generic[Item]):
    """A channel of such a file: an item for each line, as soon as the line is whole."""

    what: str
    file: ClassVar[str]

    def __init__(self, folder: Path, position: int = 0) -> None:
        """Begin behind the first `position` lines: the backend has them."""
        self.position = position
        self._path = folder / self.file
        self._line = 0  # lines read
        self._offset = 0
        self._items: list[tuple[int, Item]] = []  # each with the number of its line, from 1

    def next(self, complete: bool) -> Sequence[Item]:
        """The items that come next, the same ones until `done`."""
        if not self._items:
            self._read()
        return [item for _, item in self._items]

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._line += 1
            if self._line <= self.position:
                continue
            try:
                self._items.append((self._line, self.item(json.loads(line), self._line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("%s: line %d: no %s: %s", self._path, self._line, self.what, error)

    def done(self, count: int) -> None:
        """The first `count` items need not be handed over any more."""
        for number, _ in self._items[:count]:
            self.position = number
        del self._items[:count]

    def item(self, values: Any, number: int) -> Item:
        """What the values of a line say; it has this number, from 1."""
        raise NotImplementedError

    def hand_over(self, adapter: Adapter, items: Sequence[Item]) -> None:
        """Give items to the backend.  Raises what the adapter raises."""
        raise NotImplementedError


class System(Appended[SystemSample]):
    """Samples of the load."""

    what, file = "sample of the load", runs.SYSTEM

    def item(self, values: Any, number: int) -> SystemSample:
        """A sample."""
        return SystemSample(float(values.pop("time")), values)

    def hand_over(self, adapter: Adapter, items: Sequence[SystemSample]) -> None:
        """To the backend's page of the load."""
        adapter.system(items)


class Alerts(Appended[Alert]):
    """Alerts: those of rules, and the program's own, in which secrets are masked here."""

    what, file = "alert", runs.ALERTS

    def __init__(self, folder: Path, redactor: Redactor, position: int = 0) -> None:
        super().__init__(folder, position)
        self._redactor = redactor

    def item(self, values: Mapping[str, Any], number: int) -> Alert:
        """An alert."""
        text = self._redactor.text
        title = text(str(values.get("title") or values["rule"]))
        level, step = values.get("level", "warn"), values.get("step")
        return Alert(number, float(values["time"]), title, text(str(values.get("text", ""))), level, step)

    def hand_over(self, adapter: Adapter, items: Sequence[Alert]) -> None:
        """To who watches the run there."""
        adapter.alerts(items)
