"""The end of a recording: what is reported of it, and that it works without a folder."""

import os
import time

import pytest

from capture import runs
from capture.relay.tracked import TrackedRecording
from capture.runs.recording import Recorder

needs_full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")


@pytest.fixture
def folder(tmp_path):
    runs.create(tmp_path / "run", runs.Run("id", "p", "n", [], "/x", "host", time.time()))
    return tmp_path / "run"


@needs_full_device
def test_a_disk_that_is_full_at_the_very_end_is_reported(folder):
    """Nothing but the final mark fails, so there is no error before the recording is closed."""
    (folder / runs.CONSOLE_INDEX).symlink_to("/dev/full")
    result = TrackedRecording(str(folder)).finish(0.0)
    assert result.recording_error == "No space left on device"


def test_how_the_command_ended_is_noted_and_returned(folder):
    recording = TrackedRecording(str(folder))
    recording.write("stdout", b"some")
    recording.write("stderr", b"thing")
    result = recording.finish(0.0, exit_status=143, killed=15)
    assert (result.status, result.signal, result.recording_error) == (143, 15, None)
    assert runs.read(folder).exit_status == 143
    assert (folder / runs.CONSOLE_LOG).read_bytes() == b"something"
    lines = (folder / runs.CONSOLE_INDEX).read_text().splitlines()
    assert [line.split()[1:] for line in lines] == [["stdout", "4"], ["stderr", "5"], ["end", "0"]]


def test_who_sees_the_end_of_a_recording_sees_how_the_run_ended(folder, monkeypatch):
    """Else a closing block says nothing of the rule that has stopped the command."""
    seen = []
    close = Recorder.close

    def note_what_a_tracker_would_see(self):
        seen.append(runs.read(folder))
        close(self)

    monkeypatch.setattr(Recorder, "close", note_what_a_tracker_would_see)
    TrackedRecording(str(folder)).finish(0.0, exit_status=143, killed=15, stopped_by="loss is nan")
    assert [(run.state, run.exit_status, run.stopped_by) for run in seen] == [
        ("finished", 143, "loss is nan")
    ]


@needs_full_device
def test_the_first_error_is_kept_and_ends_the_recording(folder):
    (folder / runs.CONSOLE_LOG).symlink_to("/dev/full")
    recorder = Recorder(folder)
    recorder.write("stdout", b"lost")
    recorder.write("stdout", b"lost too")
    recorder.close()
    assert recorder.error is not None
    assert (folder / runs.CONSOLE_INDEX).read_text() == ""


def test_without_a_folder_nothing_happens():
    recording = TrackedRecording(None)
    recording.start_tracker()
    recording.write("stdout", b"nowhere")
    assert recording.check_tracker() is None
    assert recording.finish(10.0, exit_status=3) == runs.Result(3, None, None, False)
    assert os.listdir() == []
