"""Metrics for Prometheus: requests, their times, answers, and running questions."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Counters:
    """One registry per application, so that two in one process do not share their counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "citewire_requests", "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "citewire_request_seconds",
            "Seconds from a request to the end of its response.",
            ["route"],
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120),
            registry=self.registry,
        )
        self.answers = Counter("citewire_answers", "Answers by status.", ["status"], registry=self.registry)
        self.running = Gauge("citewire_running", "Questions that are being answered.", registry=self.registry)
