"""Bodies of IFC elements as triangles in millimetres, made by the geometry kernel for the needed elements only."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mes.orders.intake.ifc_values import Element, parts_of
from mes.orders.intake.mesh import Array, Mesh


def bodies_of(
    model: Any, elements: Sequence[Element], progress: Callable[[int], None], threads: int = 1
) -> dict[int, Mesh]:
    """Meshes by entity id; an element whose geometry cannot be made is missing. Openings are cut. `progress(n)` after each."""
    import ifcopenshell.geom as geom

    if not elements:
        return {}
    settings = geom.settings()
    meshes: dict[int, Mesh] = {}
    for count, shape in enumerate(geom.iterate(settings, model, threads, include=list(elements)), start=1):
        vertices = np.asarray(shape.geometry.verts, dtype=np.float64).reshape(-1, 3) * 1000.0
        faces = np.asarray(shape.geometry.faces, dtype=np.int64).reshape(-1, 3)
        matrix = np.asarray(shape.transformation.matrix, dtype=np.float64).reshape(4, 4, order="F")
        if len(faces) and np.isfinite(vertices).all() and np.isfinite(matrix).all():
            meshes[shape.id] = Mesh(vertices, faces, matrix[:3, :3], matrix[:3, 3] * 1000.0)
        progress(count)
    return meshes


def solid_leaves(element: Element) -> list[Element]:
    """The element, or the parts below it, that have a body of their own."""
    if element.Representation is not None:
        return [element]
    leaves: list[Element] = []
    stack, seen = [element], {element.id()}
    while stack:
        for part in parts_of(stack.pop()):
            if part.id() in seen:
                continue
            seen.add(part.id())
            if part.Representation is not None:
                leaves.append(part)
            else:
                stack.append(part)
    return leaves


def middle(meshes: Sequence[Mesh]) -> Array:
    """Middle of the bounding box of some bodies, in the building (mm)."""
    points = np.concatenate([mesh.world() for mesh in meshes])
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2, dtype=np.float64)


def insertion_point(element: Element, unit_scale_mm: float) -> Array | None:
    """Origin of the element's placement in the building (mm), or None where it has none."""
    from ifcopenshell.util.placement import get_local_placement

    if element.ObjectPlacement is None:
        return None
    matrix = np.asarray(get_local_placement(element.ObjectPlacement), dtype=np.float64)
    return np.asarray(matrix[:3, 3] * unit_scale_mm, dtype=np.float64)
