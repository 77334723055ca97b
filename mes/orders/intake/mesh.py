"""The concrete body of a piece as triangles: its own axes, sorted extents, volume and flat outline with openings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mes.core.geometry import Outline, Ring

Array = NDArray[np.float64]
SNAP = np.cos(np.radians(3.5))  # a face sloped for drainage still counts as level with the body's own axis
GAP_MM = 0.5  # slivers narrower than this are closed
MIN_OPENING_MM2 = 100.0


@dataclass(frozen=True)
class Mesh:
    """Triangles of one body: vertices (n, 3) in its own axes in mm, faces (m, 3), rotation (3, 3) and origin (3,) in the building."""

    vertices: Array
    faces: NDArray[np.int64]
    rotation: Array
    origin: Array

    def world(self) -> Array:
        return self.vertices @ self.rotation.T + self.origin


@dataclass(frozen=True)
class Measured:
    """A body in its own axes (mm, m³). `axes` are the rows x, y, up of the flat frame, `corner` its zero point from `origin`."""

    length: float
    width: float
    thickness: float
    volume_m3: float
    silhouette: Outline
    axes: Array
    corner: Array
    origin: Array

    def to_flat(self, point: Array) -> tuple[float, float]:
        """Flat coordinates (mm) of a point of the building."""
        x, y, _ = self.axes @ (point - self.origin) - self.corner
        return float(x), float(y)


def volume_m3(meshes: Sequence[Mesh]) -> float:
    """Net volume of closed bodies by the divergence theorem: V = |Σ a·(b×c)| / 6."""
    total = 0.0
    for mesh in meshes:
        a, b, c = (mesh.vertices[mesh.faces[:, i]] - mesh.vertices[0] for i in range(3))
        total += abs(float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum())) / 6.0
    return total / 1e9


def measure(meshes: Sequence[Mesh]) -> Measured:
    """Raises ValueError for a body without area.

    Own axes: up is the normal of the largest flat face (the soffit of a stair, the face of a wall); x follows the
    prevailing direction of the silhouette's edges, so that a chamfered corner does not turn the piece.
    """
    origin = meshes[0].origin
    points = np.concatenate([mesh.world() - origin for mesh in meshes])
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)])
    local = meshes[0].rotation.T
    axes, shape = _frame(points, faces, _main_normal(points, faces, local), local)
    extents = np.ptp(points @ axes.T, axis=0)
    thin = int(np.argmin(np.round(extents, 1)))
    if extents[2] > extents[thin] + GAP_MM:
        axes, shape = _frame(points, faces, axes[thin], local)
        extents = np.ptp(points @ axes.T, axis=0)
    corner = (points @ axes.T).min(axis=0)
    length, width, thickness = sorted((float(extent) for extent in extents), reverse=True)
    outline = _outline(shape, corner)
    return Measured(length, width, thickness, volume_m3(meshes), outline, axes, corner, origin)


def _main_normal(points: Array, faces: NDArray[np.int64], local: Array) -> Array:
    a, b, c = (points[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    keep = areas > 1e-6
    if not keep.any():
        raise ValueError("the body has no area")
    normals, areas = normals[keep] / areas[keep, None], areas[keep]
    first = np.argmax(np.abs(np.round(normals, 3)) > 0.001, axis=1)
    normals *= np.sign(normals[np.arange(len(normals)), first])[:, None]
    keys, where = np.unique(np.round(normals, 2), axis=0, return_inverse=True)
    sums = np.bincount(where.reshape(-1), weights=areas, minlength=len(keys))
    main = keys[int(np.argmax(np.round(sums, 0)))]
    near = np.abs(normals @ (main / np.linalg.norm(main))) > SNAP
    mean = (normals[near] * areas[near, None]).sum(axis=0)
    return _snapped(mean / np.linalg.norm(mean), local)


def _snapped(direction: Array, local: Array) -> Array:
    dots = local @ direction
    best = int(np.argmax(np.abs(dots)))
    return np.asarray(local[best] * np.sign(dots[best]) if abs(dots[best]) > SNAP else direction, dtype=np.float64)


def _frame(points: Array, faces: NDArray[np.int64], normal: Array, local: Array) -> tuple[Array, Any]:
    """Axes (rows x, y, up) and the silhouette in them."""
    up = _pointing(normal, np.eye(3)[2:] if abs(normal[2]) > 0.1 else local)
    start = np.array(local[int(np.argmin(np.abs(local @ up)))])
    start -= up * (start @ up)
    start /= np.linalg.norm(start)
    axes = np.stack([start, np.cross(up, start), up])
    turn = _edge_direction(_silhouette(points @ axes.T, faces))
    x = axes[0] * np.cos(turn) + axes[1] * np.sin(turn)
    y = np.cross(up, x)
    if np.ptp(points @ y) > np.ptp(points @ x) + GAP_MM:
        x, y = y, -x
    if (x @ _pointing(x, local)) < 0:
        x, y = -x, -y
    if abs(up[2]) <= 0.1 and y[2] < -0.1:  # an upright piece is looked at from the side that keeps its foot below
        y, up = -y, -up
    axes = np.stack([x, y, up])
    return axes, _silhouette(points @ axes.T, faces)


def _pointing(direction: Array, references: Array) -> Array:
    """The direction or its opposite, whichever points along the nearest reference axis."""
    dots = references @ direction
    return direction if dots[int(np.argmax(np.round(np.abs(dots), 6)))] >= 0 else -direction


def _silhouette(flat: Array, faces: NDArray[np.int64]) -> Any:
    """The shadow of the body along the third axis: a polygon with the openings that go through."""
    corners = flat[faces][:, :, :2]
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    chosen = area > 0.01
    if area[chosen].sum() < 0.9 * -area[area < -0.01].sum() or not chosen.any():
        chosen = np.abs(area) > 0.01  # a body whose faces look the wrong way round
    shape = shapely.union_all(shapely.polygons(corners[chosen]), grid_size=0.01)
    shape = shape.buffer(GAP_MM, join_style="mitre").buffer(-GAP_MM, join_style="mitre").simplify(GAP_MM)
    if shape.geom_type != "Polygon":
        shape = max(shape.geoms, key=lambda part: part.area) if not shape.is_empty else shape
    if shape.is_empty:
        raise ValueError("the body has no area")
    return shape


def _edge_direction(shape: Any) -> float:
    """Angle (rad, -45°..45°) of the prevailing edge direction; the present axes win unless another clearly prevails."""
    ring = np.asarray(shape.exterior.coords)
    edges = np.diff(ring, axis=0)
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    angles = (np.degrees(np.arctan2(edges[:, 1], edges[:, 0])) + 45.0) % 90.0 - 45.0
    bins = np.round(angles).astype(int)
    bins[bins == 45] = -45
    weights = {int(b): float(lengths[bins == b].sum()) for b in np.unique(bins)}
    best = max(weights, key=lambda b: (round(weights[b], 0), -abs(b)))
    if weights.get(0, 0.0) * 1.5 >= weights[best]:
        return 0.0
    chosen = bins == best
    return float(np.radians(np.average(angles[chosen], weights=lengths[chosen])))


def _outline(shape: Any, corner: Array) -> Outline:
    openings = [ring for ring in shape.interiors if shapely.Polygon(ring).area > MIN_OPENING_MM2]
    return Outline(_ring(shape.exterior, corner), tuple(_ring(ring, corner) for ring in openings))


def _ring(ring: Any, corner: Array) -> Ring:
    points = shapely.Polygon(ring).normalize().exterior.coords
    return tuple((round(float(x - corner[0]), 1) + 0.0, round(float(y - corner[1]), 1) + 0.0) for x, y in points[:-1])
