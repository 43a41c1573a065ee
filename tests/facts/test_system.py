"""The load of the command's tree, of the machine and of its GPUs."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from helpers import eventually

from capture.facts.gpu import Gpus
from capture.facts.system import Sampler

BUSY = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import sys\\nb = bytearray(200 << 20)\\nprint(1, flush=True)\\n"
    "while True: pass'], stdout=subprocess.PIPE)\nchild.stdout.read(1)\nprint('ready', flush=True)\n"
    "sys.stdin.read()\nchild.kill()"
)
GB = 1 << 30


def test_the_tree_of_a_command_is_summed_up():
    with subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        sampler = Sampler(process.pid, Gpus(fake(0)))
        busy = eventually(lambda: (values := sampler.sample().values)["process/cpu_percent"] > 10 and values)
        process.stdin.close()
    assert busy["process/count"] == 2
    assert 200 < busy["process/memory_mb"] < 400
    assert busy["process/threads"] >= 2
    assert 0 < busy["machine/memory_percent"] < 100
    assert busy["machine/cpu_percent"] >= 0
    assert {"machine/network_sent_mb_s", "process/disk_write_mb_s"} <= busy.keys()


def test_without_a_command_it_is_the_machine_alone():
    names = Sampler(None, Gpus(fake(0))).sample().values.keys()
    assert not any(name.startswith("process/") for name in names)
    assert "machine/cpu_percent" in names


def test_a_command_that_has_ended_leaves_nothing_to_count():
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert Sampler(process.pid, Gpus(fake(0))).sample().values.get("process/count", 0) == 0


class NVMLError(Exception):
    pass


def fake(count, **changes):
    """NVML with so many GPUs; `changes` are functions that behave otherwise."""
    nvml = SimpleNamespace(
        NVMLError=NVMLError,
        NVML_TEMPERATURE_GPU=0,
        NVML_CLOCK_SM=1,
        NVML_CLOCK_MEM=2,
        NVML_MEMORY_ERROR_TYPE_UNCORRECTED=1,
        NVML_VOLATILE_ECC=0,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlSystemGetDriverVersion=lambda: "555.1",
        nvmlDeviceGetCount=lambda: count,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda handle: b"H200",
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=40 + handle, memory=3),
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=2 * GB, total=8 * GB),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [
            SimpleNamespace(pid=10, usedGpuMemory=GB),
            SimpleNamespace(pid=11, usedGpuMemory=GB // 2),
            SimpleNamespace(pid=12, usedGpuMemory=None),
        ],
        nvmlDeviceGetTemperature=lambda handle, sensor: 55,
        nvmlDeviceGetPowerUsage=lambda handle: 312_500,
        nvmlDeviceGetClockInfo=lambda handle, clock: {1: 1980, 2: 2619}[clock],
        nvmlDeviceGetTotalEccErrors=lambda handle, kind, counter: 2,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda handle: 0x4,
    )
    for name, function in changes.items():
        setattr(nvml, name, function)
    return nvml


def raising(message):
    def function(*arguments):
        raise NVMLError(message)

    return function


def test_every_figure_of_every_gpu():
    gpus = Gpus(fake(2))
    assert (gpus.names, gpus.driver) == (["H200", "H200"], "555.1")
    assert gpus.sample({10, 12, 99}) == {
        f"gpu/{index}/{name}": value
        for index in (0, 1)
        for name, value in {
            "percent": 40.0 + index, "memory_mb": 2048.0, "memory_percent": 25.0, "process_memory_mb": 1024.0,
            "temperature_c": 55.0, "power_w": 312.5, "clock_mhz": 1980.0, "memory_clock_mhz": 2619.0, "ecc_errors": 2.0, "throttled": 1.0,
        }.items()
    }  # fmt: skip
    assert gpus.notes == []


def test_what_a_card_does_not_know_is_left_out_silently():
    gpus = Gpus(fake(1, nvmlDeviceGetUtilizationRates=raising("Not Supported")))  # as with MIG
    assert "gpu/0/percent" not in gpus.sample()
    assert gpus.sample()["gpu/0/power_w"] == 312.5
    assert gpus.notes == []


def test_what_may_not_be_asked_is_said_once():
    gpus = Gpus(fake(1, nvmlDeviceGetPowerUsage=raising("Insufficient Permissions")))
    for _ in range(3):
        assert gpus.sample()["gpu/0/percent"] == 40.0
    assert gpus.notes == ["GPU 0: no figure for power: Insufficient Permissions"]


def test_a_gpu_that_vanishes_is_said_once_and_the_others_go_on():
    def utilisation(handle):
        if handle == 0:
            raise NVMLError("GPU is lost")
        return SimpleNamespace(gpu=7, memory=0)

    gpus = Gpus(fake(2, nvmlDeviceGetUtilizationRates=utilisation))
    for _ in range(2):
        names = gpus.sample().keys()
        assert "gpu/1/power_w" in names
    assert not any(name.startswith("gpu/0/") for name in names)
    assert gpus.notes == ["GPU 0 is gone: GPU is lost"]


@pytest.mark.parametrize(
    ("error", "notes"),
    [("NVML Shared Library Not Found", []), ("Driver/library version mismatch", ["no GPU figures: Driver/library version mismatch"])],
)  # fmt: skip
def test_without_a_driver_there_are_none(error, notes):
    gpus = Gpus(fake(1, nvmlInit=raising(error)))
    assert gpus.sample() == {}
    assert gpus.notes == notes
    gpus.close()
