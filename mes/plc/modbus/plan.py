"""Request planner: joins neighbouring tags into few blocks once, at load. A block never crosses a forbidden range.

A multi-word tag or a consistency group is never split. Hard limits: 125 registers and 2000 bits per read, lower if the link says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mes.plc.tagmap import ModbusLink, Tag


@dataclass(frozen=True)
class Block:
    """One read request and the tags that come out of it."""

    unit: int
    table: str
    start: int
    count: int
    tags: tuple[Tag, ...]

    @property
    def waste(self) -> int:
        """Words read that belong to no tag."""
        used = {word for tag in self.tags for word in range(tag.index, tag.index + tag.words)}
        return self.count - len(used)


def plan(link: ModbusLink, tags: Sequence[Tag]) -> list[Block]:
    """The fewest blocks for these tags that the link's limits and holes allow."""
    blocks: list[Block] = []
    for atom in _atoms(tags):
        last = blocks[-1] if blocks else None
        joined = _join(last, atom) if last else None
        if last is not None and joined is not None and _allowed(link, last, atom, joined):
            blocks[-1] = joined
        else:
            blocks.append(atom)
    return blocks


def halves(link: ModbusLink, block: Block) -> list[Block]:
    """A refused block in two parts; one part when it cannot be divided."""
    atoms = _atoms(block.tags)
    if len(atoms) < 2:
        return [block]
    middle = len(atoms) // 2
    parts = [[tag for atom in part for tag in atom.tags] for part in (atoms[:middle], atoms[middle:])]
    return [found for part in parts for found in plan(link, part)]


def _atoms(tags: Sequence[Tag]) -> list[Block]:
    """What must come from one request: single tags and consistency groups, in the order of their addresses."""
    groups: dict[object, list[Tag]] = {}
    for tag in tags:
        key = (tag.unit_id, tag.table, tag.consistency) if tag.consistency else tag.name
        groups.setdefault(key, []).append(tag)
    atoms = []
    for members in groups.values():
        start = min(tag.index for tag in members)
        end = max(tag.index + tag.words for tag in members)
        atoms.append(Block(members[0].unit_id, members[0].table, start, end - start, tuple(members)))
    return sorted(atoms, key=lambda atom: (atom.unit, atom.table, atom.start, atom.count))


def _join(block: Block, atom: Block) -> Block:
    end = max(block.start + block.count, atom.start + atom.count)
    return Block(block.unit, block.table, block.start, end - block.start, (*block.tags, *atom.tags))


def _allowed(link: ModbusLink, block: Block, atom: Block, joined: Block) -> bool:
    if (block.unit, block.table) != (atom.unit, atom.table) or link.single_requests:
        return False
    limit = link.max_read_bits if block.table in ("coil", "discrete") else link.max_read_registers
    hole = atom.start - (block.start + block.count)
    if joined.count > limit or hole > link.merge_hole:
        return False
    end = joined.start + joined.count
    return not any(z.table == block.table and joined.start <= z.to and end > z.from_ for z in link.forbidden)
