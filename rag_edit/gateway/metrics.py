"""Counters and histograms in Prometheus' text format. Labels are names from configuration and enums: their number is bounded.

Source: Prometheus exposition format 0.0.4.
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_HELP: Final = {
    "rag_edit_requests_total": "Requests answered, by deployment, route, reason and status.",
    "rag_edit_refusals_total": "Requests refused, by code.",
    "rag_edit_upstream_failures_total": "Requests that an upstream did not answer, by upstream and kind.",
    "rag_edit_clients_gone_total": "Clients that left before their answer was whole.",
    "rag_edit_undecided_total": "Questions that could not be decided, by deployment.",
    "rag_edit_shadowed_total": "Questions that a record would have answered and did not, by deployment and reason.",
    "rag_edit_reloads_total": "Reloads of the configuration, by result.",
    "rag_edit_workers_lost_total": "Workers that ended without being told to.",
    "rag_edit_overhead_seconds": "Time the gateway itself added before the first byte of the answer.",
    "rag_edit_decision_seconds": "Time from question to decision, waiting in line included.",
    "rag_edit_in_flight": "Requests in the house.",
    "rag_edit_lag": "Edits that the slowest worker has not taken over yet; it does before it decides.",
    "rag_edit_revision": "Position of the record store that answers are decided on.",
}


class Metrics:
    """All numbers of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, dict[tuple[tuple[str, str], ...], float]] = defaultdict(lambda: defaultdict(float))
        self._histograms: dict[str, tuple[list[int], list[float]]] = {}
        self._gauges: dict[str, float] = {"rag_edit_in_flight": 0.0, "rag_edit_revision": 0.0}

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counters[name][tuple(sorted(labels.items()))] += 1

    def observe(self, name: str, seconds: float) -> None:
        """Put a duration into a histogram."""
        with self._lock:
            counts, total = self._histograms.setdefault(name, ([0] * (len(BUCKETS_S) + 1), [0.0]))
            counts[bisect_left(BUCKETS_S, seconds)] += 1
            total[0] += seconds

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge."""
        with self._lock:
            self._gauges[name] = value

    def totals(self) -> dict[str, Any]:
        """Return everything as plain values, for `add` in another process."""
        with self._lock:
            return {
                "counters": {name: [[list(k), v] for k, v in by.items()] for name, by in self._counters.items()},
                "histograms": {name: [list(counts), total[0]] for name, (counts, total) in self._histograms.items()},
                "gauges": dict(self._gauges),
            }

    def add(self, totals: Mapping[str, Any]) -> None:
        """Add what another has counted; of revisions the newest counts, of lags the largest."""
        with self._lock:
            for name, rows in totals["counters"].items():
                for labels, value in rows:
                    self._counters[name][tuple((key, text) for key, text in labels)] += value
            for name, (counts, total) in totals["histograms"].items():
                mine, mine_total = self._histograms.setdefault(name, ([0] * (len(BUCKETS_S) + 1), [0.0]))
                mine[:] = [a + b for a, b in zip(mine, counts, strict=True)]
                mine_total[0] += total
            for name, value in totals["gauges"].items():
                before = self._gauges.get(name, 0.0)
                self._gauges[name] = max(before, value) if name.endswith(("_revision", "_lag")) else before + value

    def render(self) -> bytes:
        """Return everything as text."""
        with self._lock:
            lines: list[str] = []
            for name in sorted(self._counters):
                lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} counter"]
                lines += [f"{name}{_labels(labels)} {value:g}" for labels, value in sorted(self._counters[name].items())]
            for name in sorted(self._histograms):
                counts, total = self._histograms[name]
                lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} histogram"]
                running = 0
                for bound, count in zip((*BUCKETS_S, float("inf")), counts, strict=True):
                    running += count
                    lines.append(f'{name}_bucket{{le="{"+Inf" if bound == float("inf") else f"{bound:g}"}"}} {running}')
                lines += [f"{name}_sum {total[0]:.6f}", f"{name}_count {running}"]
            for name in sorted(self._gauges):
                lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", f"{name} {self._gauges[name]:g}"]
        return ("\n".join(lines) + "\n").encode()


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    escaped = (f'{name}="{_escape(value)}"' for name, value in labels)
    return "{" + ",".join(escaped) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
