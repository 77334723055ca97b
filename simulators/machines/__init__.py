"""One twin per machine type, under the same file names as `mes/lines/machines`."""

from simulators.machines import (
    batching_plant,
    cleaning_station,
    concrete_spreader,
    curing_chamber,
    levelling_station,
    marking_plotter,
    mould_robot,
    oiling_station,
    precuring_tunnel,
    tilting_table,
    vibrating_table,
)
from simulators.twin import Twin

TWINS: dict[str, type[Twin]] = {
    "cleaning_station": cleaning_station.CleaningStation,
    "oiling_station": oiling_station.OilingStation,
    "marking_plotter": marking_plotter.MarkingPlotter,
    "mould_robot": mould_robot.MouldRobot,
    "batching_plant": batching_plant.BatchingPlant,
    "concrete_spreader": concrete_spreader.ConcreteSpreader,
    "vibrating_table": vibrating_table.VibratingTable,
    "levelling_station": levelling_station.LevellingStation,
    "precuring_tunnel": precuring_tunnel.PrecuringTunnel,
    "curing_chamber": curing_chamber.CuringChamber,
    "tilting_table": tilting_table.TiltingTable,
}
