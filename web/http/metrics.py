"""Prometheus metrics: answers by route template. No label says anything of the caller."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "unefois_http_answers",
            "Answers, by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "unefois_http_seconds",
            "Time to the end of an answer, by method and route.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.ready = Gauge(
            "unefois_ready", "1 when a part answers, else 0.", ("part",), registry=self.registry
        )
        self.failing = Gauge(
            "unefois_failing",
            "1 while this process sees a part fail, e-mail and SMS too, else 0.",
            ("part",),
            registry=self.registry,
        )
        self.log_size = Gauge(
            "unefois_log_size", "Leaves under the newest checkpoint.", registry=self.registry
        )
        self.log_lag = Gauge(
            "unefois_log_lag_seconds",
            "How long the oldest recent event has been waiting for its leaf.",
            registry=self.registry,
        )

    def answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; status 0 is a caller who disconnected before it."""
        known = method if method in _METHODS else "other"
        self._answers.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)
