"""Watching processes while something runs: CPU time, memory at its highest, disk."""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

INTERVAL = 0.5  # s


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process with all its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def disk_mb(folder: Path) -> float:
    """Return what the files below a folder take, sparse parts left out."""
    total = 0.0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.stat(os.path.join(path, name))
            except FileNotFoundError:  # a log that was just rotated
                continue
            total += getattr(status, "st_blocks", status.st_size / 512) * 512
    return total / 1e6


@dataclass
class Watch:
    """Samples a process, its children and a server beside it; memory in MB, CPU in seconds."""

    pid: int
    server: int | None = None
    parent_mb: float = 0.0
    worker_mb: float = 0.0
    workers_mb: float = 0.0
    server_mb: float = 0.0
    parent_cpu: float = 0.0
    worker_cpu: dict[int, float] = field(default_factory=dict)
    parent_samples: list[float] = field(default_factory=list)

    def __enter__(self) -> "Watch":
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL):
            try:
                self._sample()
            except psutil.Error:  # something ended while it was looked at
                continue

    def _sample(self) -> None:
        if self.server is not None:
            self.server_mb = max(self.server_mb, memory_mb(self.server))
        process = psutil.Process(self.pid)
        now = process.memory_info().rss / 1e6
        self.parent_samples.append(now)
        self.parent_mb = max(self.parent_mb, now)
        times = process.cpu_times()
        self.parent_cpu = times.user + times.system
        together = 0.0
        for child in process.children(recursive=True):
            if child.pid == self.server:
                continue
            mb = memory_mb(child.pid)
            together += mb
            self.worker_mb = max(self.worker_mb, mb)
            self.worker_cpu[child.pid] = cpu_seconds(child.pid)
        self.workers_mb = max(self.workers_mb, together)
