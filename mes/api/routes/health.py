"""Health of the process: alive, ready, and figures for Prometheus."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from mes.api.auth import public
from mes.api.routes.common import Given, Viewer
from mes.lines.job import LineJob

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[Depends(public)])
async def alive() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz", dependencies=[Depends(public)])
async def ready(services: Given) -> JSONResponse:
    """Ready when memory answers; links that are down are named but do not make the web side unready."""
    down = [link.name for link in services.links if str(getattr(link.state, "value", link.state)) != "online"]
    last = services.store.events(limit=1)
    return JSONResponse({"status": "ready", "links_down": down, "events": bool(last)})


@router.get("/metrics")
async def metrics(request: Request, services: Given, person: Viewer) -> Response:
    """Streams, links and open jobs in Prometheus' text format."""
    registry = CollectorRegistry()
    _gauge(registry, "mes_live_streams", "Open live streams", request.app.state.hub.streams)
    online = Gauge("mes_link_online", "1 when the PLC link is online", ["link"], registry=registry)
    for link in services.links:
        online.labels(link.name).set(str(getattr(link.state, "value", link.state)) == "online")
    jobs = Gauge("mes_open_jobs", "Open jobs by line and state", ["line", "state"], registry=registry)
    for line in services.plant.plant.lines:
        found = services.store.find(LineJob, line.id)
        for state in ("ready", "running", "stopped"):
            jobs.labels(line.id, state).set(sum(1 for job in found if job.state == state))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _gauge(registry: CollectorRegistry, name: str, text: str, value: Any) -> None:
    Gauge(name, text, registry=registry).set(value)
