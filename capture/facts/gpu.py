"""Figures of NVIDIA GPUs, from NVML.

Each figure is asked for by itself: cards, drivers and MIG slices differ in what they know.  What is
not available is reported once in `notes`; a GPU that vanishes is left out from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any

MB = 1 << 20
# Reasons that slow a GPU down: heat and power.  They have these names and values in nvml.h.
THROTTLED = {
    "nvmlClocksThrottleReasonSwPowerCap": 0x04,
    "nvmlClocksThrottleReasonHwSlowdown": 0x08,
    "nvmlClocksThrottleReasonSwThermalSlowdown": 0x20,
    "nvmlClocksThrottleReasonHwThermalSlowdown": 0x40,
    "nvmlClocksThrottleReasonHwPowerBrakeSlowdown": 0x80,
}


class Gpus:
    """The GPUs of this machine; none where there is no driver."""

    def __init__(self, nvml: ModuleType | None = None) -> None:
        """`nvml` is used in place of the module `pynvml`."""
        self.notes: list[str] = []
        self.names: list[str] = []
        self.driver = ""
        self._nvml: Any = nvml
        self._handles: dict[int, Any] = {}
        self._refused: set[tuple[int, str]] = set()
        try:
            if self._nvml is None:
                import pynvml  # slow, and not there on every system

                self._nvml = pynvml
            self._nvml.nvmlInit()
        except Exception as error:  # no driver, no library, no permission
            if "Not Found" not in str(error):
                self.notes.append(f"no GPU figures: {error}")
            return
        self._open()

    def _open(self) -> None:
        try:
            self.driver = _text(self._nvml.nvmlSystemGetDriverVersion())
            for index in range(self._nvml.nvmlDeviceGetCount()):
                self._handles[index] = self._nvml.nvmlDeviceGetHandleByIndex(index)
                self.names.append(_text(self._nvml.nvmlDeviceGetName(self._handles[index])))
        except self._nvml.NVMLError as error:
            self.notes.append(f"not all GPUs can be asked: {error}")

    def sample(self, pids: Collection[int] = ()) -> dict[str, float]:
        """What each GPU does now, `pids` being the processes whose memory is counted by itself."""
        values: dict[str, float] = {}
        for index, handle in list(self._handles.items()):
            for name, figure in self._figures(index, handle, pids).items():
                values[f"gpu/{index}/{name}"] = figure
        return values

    def close(self) -> None:
        """Let go of the driver."""
        if self._handles:
            try:
                self._nvml.nvmlShutdown()
            except self._nvml.NVMLError:
                pass
            self._handles = {}

    def _figures(self, index: int, handle: Any, pids: Collection[int]) -> dict[str, float]:
        nvml = self._nvml
        values: dict[str, float] = {}

        figures: dict[str, Callable[[], dict[str, float]]] = {
            "utilisation": lambda: {"percent": float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)},
            "memory": lambda: _memory(nvml.nvmlDeviceGetMemoryInfo(handle)),
            "the command's memory": lambda: {
                "process_memory_mb": _of(pids, nvml.nvmlDeviceGetComputeRunningProcesses(handle))
            },
            "temperature": lambda: {
                "temperature_c": float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
            },
            "power": lambda: {"power_w": nvml.nvmlDeviceGetPowerUsage(handle) / 1000},
            "clocks": lambda: {
                "clock_mhz": float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
                "memory_clock_mhz": float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
            },
            "ECC errors": lambda: {
                "ecc_errors": float(
                    nvml.nvmlDeviceGetTotalEccErrors(
                        handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
                    )
                )
            },
            "throttling": lambda: {
                "throttled": float(
                    bool(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle) & sum(THROTTLED.values()))
                )
            },
        }
        for what, ask in figures.items():
            if index in self._handles and (index, what) not in self._refused:
                try:
                    values |= ask()
                except nvml.NVMLError as error:
                    self._refuse(index, what, error)
        return values

    def _refuse(self, index: int, what: str, error: Exception) -> None:
        """Not again: the first time it is said, unless the card merely does not have it."""
        if "lost" in str(error).lower() or "not found" in str(error).lower():
            self._handles.pop(index, None)
            self.notes.append(f"GPU {index} is gone: {error}")
            return
        self._refused.add((index, what))
        if "not supported" not in str(error).lower():
            self.notes.append(f"GPU {index}: no figure for {what}: {error}")


def _memory(info: Any) -> dict[str, float]:
    return {
        "memory_mb": info.used / MB,
        "memory_percent": 100 * info.used / info.total if info.total else 0.0,
    }


def _of(pids: Collection[int], processes: Any) -> float:
    return float(sum((process.usedGpuMemory or 0) / MB for process in processes if process.pid in pids))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
