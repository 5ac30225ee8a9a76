"""Logs as JSON lines, Prometheus metrics, OpenTelemetry traces that join a request to its workflow."""

import logging
import sys
from contextvars import ContextVar
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram
from temporalio.client import Interceptor

from core.settings import Settings

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")

HTTP_REQUESTS = Counter("ops_http_requests", "Requests answered", ["service", "method", "route", "status"])
HTTP_SECONDS = Histogram("ops_http_request_seconds", "Time to answer a request", ["service", "method", "route"])
PUMP_ROWS = Counter("ops_pump_rows", "Rows a pump has worked through", ["pump"])
PUMP_LAG = Gauge("ops_pump_lag_seconds", "Age of the oldest row a pump has not reached", ["pump"])
INTENTS_PENDING = Gauge("ops_intents_pending", "Intents the reconciler found unkept at its last look")


class PumpMetrics:
    """A PumpWatch that tells Prometheus."""

    def moved(self, pump: str, rows: int, lag_seconds: float) -> None:
        """So many rows are done; the oldest one not reached yet has waited so long."""
        PUMP_ROWS.labels(pump).inc(rows)
        PUMP_LAG.labels(pump).set(lag_seconds)


class IntentMetrics:
    """An IntentWatch that tells Prometheus."""

    def pending(self, intents: int) -> None:
        """So many intents wait to be carried out."""
        INTENTS_PENDING.set(intents)


def set_up_logs(service: str, level: str) -> None:
    """One JSON object a line on stderr, ours and the libraries'."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    logging.basicConfig(level="WARNING", handlers=[handler], force=True)


def _add_correlation(_: object, __: str, event: dict[str, Any]) -> dict[str, Any]:
    if current := correlation_id.get():
        event.setdefault("correlation_id", current)
    return event


def set_up_traces(service: str, settings: Settings) -> None:
    """Export spans when an OTLP endpoint is set; otherwise tracing costs nothing."""
    if not settings.otlp_endpoint:
        return
    # Exporter and SDK take a tenth of a second to import: only for who wants traces. So below.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"isa-operations.{service}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def temporal_interceptors(settings: Settings) -> list[Interceptor]:
    """Carry the trace from the request into workflow and activities."""
    if not settings.otlp_endpoint:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return [TracingInterceptor(always_create_workflow_spans=True)]
