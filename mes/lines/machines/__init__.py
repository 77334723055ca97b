"""One file per machine type: what a pallet's work means to that machine's PLC."""

from mes.lines.machines import (
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
from mes.lines.work import MachineType

MACHINE_TYPES: dict[str, MachineType] = {
    "cleaning_station": cleaning_station.MACHINE,
    "oiling_station": oiling_station.MACHINE,
    "marking_plotter": marking_plotter.MACHINE,
    "mould_robot": mould_robot.MACHINE,
    "batching_plant": batching_plant.MACHINE,
    "concrete_spreader": concrete_spreader.MACHINE,
    "vibrating_table": vibrating_table.MACHINE,
    "levelling_station": levelling_station.MACHINE,
    "precuring_tunnel": precuring_tunnel.MACHINE,
    "curing_chamber": curing_chamber.MACHINE,
    "tilting_table": tilting_table.MACHINE,
}
