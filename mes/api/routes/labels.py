"""Labels over HTTP: one as SVG, PNG or PDF, or a sheet for an order."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from mes.api.routes.common import Given, Viewer, component_of
from mes.api.services import Services
from mes.api.texts import language_of, translate
from mes.core.errors import NotFound
from mes.tracking.code import url
from mes.tracking.component import Component
from mes.tracking.label import FORMATS, LabelData, labels_pdf

router = APIRouter(prefix="/api/v1", tags=["labels"])
MEDIA = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
Lang = Annotated[Literal["zh", "en"] | None, Query()]


@router.get("/labels/{code}.{format}")
async def label(
    code: str,
    format: Literal["svg", "png", "pdf"],
    request: Request,
    services: Given,
    person: Viewer,
    lang: Lang = None,
) -> Response:
    """One label, 80 × 120 mm."""
    data = label_data(request, services, component_of(services, code))
    drawn = await asyncio.to_thread(FORMATS[format], data)
    return Response(drawn, media_type=MEDIA[format], headers=_named(f"{data.code}.{format}"))


@router.get("/orders/{order_id}/labels.pdf")
async def sheet(
    order_id: str,
    request: Request,
    services: Given,
    person: Viewer,
    lang: Lang = None,
    paper: Literal["a4", "label"] = "a4",
) -> Response:
    """The labels of all pieces of an order, four on an A4 sheet or one a page."""
    components = services.store.find(Component, order_id)
    if not components:
        raise NotFound(f"Order {order_id} has no pieces to label.", hint="Release the order first.")
    labels = [label_data(request, services, component) for component in components]
    drawn = await asyncio.to_thread(labels_pdf, labels, paper)
    return Response(drawn, media_type=MEDIA["pdf"], headers=_named(f"labels-{order_id}.pdf"))


def label_data(request: Request, services: Services, component: Component) -> LabelData:
    """What stands on a component's label, in the reader's language."""
    language: Any = language_of(request)
    info = services.plant.plant.plant
    maker = info.maker or info.name
    return LabelData(
        code=component.code,
        url=url(request.app.state.public_url, component.code),
        mark=component.mark,
        project=component.project,
        storey=component.storey,
        mass_kg=component.mass_kg,
        concrete_class=component.concrete_class,
        cast_on=component.cast_at.date() if component.cast_at else None,
        maker=maker.zh if language == "zh" else maker.en,
        family_name=translate(language, f"family {component.family}", default=component.family),
        language=language,
    )


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}"'}
