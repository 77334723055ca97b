"""The planner measured on published instances: 2-D bin packing, permutation flow shop and one precast line."""

from mes.planning.bench.flowshop import bench_flowshop
from mes.planning.bench.nesting import bench_nesting
from mes.planning.bench.precast import bench_precast

__all__ = ["bench_flowshop", "bench_nesting", "bench_precast"]
