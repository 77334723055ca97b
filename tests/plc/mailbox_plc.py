"""A PLC program with a mailbox for tests, written from the description alone: it shares no code with the MES."""

import struct

from pymodbus.framer import FramerRTU

COMMAND, ANSWER = 100, 200


def crc(words):
    """CRC-16/MODBUS by pymodbus' own routine, which gives the bytes in wire order (low byte first)."""
    value = FramerRTU.compute_CRC(struct.pack(f">{len(words)}H", *words))
    return (value & 0xFF) << 8 | value >> 8 if SWAP else value


SWAP = FramerRTU.compute_CRC(b"\x01\x03\x00\x00\x00\x0a") != 0xCDC5


def number(words):
    return int.from_bytes(struct.pack(f">{len(words)}H", *words), "big")


def words(value, count):
    return list(struct.unpack(f">{count}H", value.to_bytes(2 * count, "big")))


class MailboxPlc:
    """`scan(block)` is one cycle: it gets the 24 command words and returns the 24 answer words."""

    def __init__(self, epoch=0xA1B2C3D4):
        self.epoch, self.boots, self.beat = epoch, 1, 0
        self.retained = {
            "seq": 0,
            "acted": 0,
            "state": 0,
            "result": 0,
            "job": 0,
            "last": 0,
            "ring": [],
            "starts": 0,
            "ends": 0,
        }
        self.bad_blocks = 0
        self.run_scans, self.left = 3, 0
        self.starts, self.ends, self.refuse = [], [], False
        self.parameters = []

    def power_cycle(self):
        self.boots += 1
        self.left = 0
        if self.retained["state"] in (1, 2):
            self.retained["state"] = 6

    def scan(self, block):
        self.beat = (self.beat + 1) & 0xFFFF
        kept = self.retained
        if kept["state"] == 2 and self.left > 0:
            self.left -= 1
            if self.left == 0:
                kept.update(state=3, last=kept["job"], ends=kept["ends"] + 1)
                self.ends.append(kept["job"])
        seq, epoch = block[22], number(block[1:3])
        if seq and (epoch, seq) != (kept["acted"], kept["seq"]):
            if block[0] != 0x4D01 or crc([*block[:21], seq]) != block[21]:
                self.bad_blocks += 1
            else:
                self.act(block, seq, epoch)
        head = [0x4D01, *words(self.epoch, 2), self.boots, self.beat, kept["seq"], kept["state"], kept["result"]]
        body = [*words(kept["job"], 4), *words(kept["last"], 4), *words(kept["starts"], 2), *words(kept["ends"], 2)]
        answer = [*head, *body, self.bad_blocks, *words(kept["acted"], 2)]
        return [*answer, crc(answer)]

    def act(self, block, seq, epoch):
        kept, code, job = self.retained, block[3], number(block[5:9])
        kept.update(seq=seq, acted=epoch, result=0)
        if epoch != self.epoch:
            kept["result"] = 6
        elif code == 1:
            if kept["state"] in (1, 2, 6):
                kept["result"] = 4 if kept["job"] == job else 1
            elif job in kept["ring"]:
                kept.update(result=4, job=job, state=3 if kept["last"] == job else 4)
            elif self.refuse:
                kept.update(result=5, state=4)
            else:
                kept.update(state=2, job=job, ring=[*kept["ring"], job][-32:], starts=kept["starts"] + 1)
                self.left = self.run_scans
                self.starts.append(job)
                self.parameters = list(block[9:21])
        elif code == 2:
            if kept["state"] in (1, 2) and kept["job"] == job:
                kept["state"] = 5
            else:
                kept["result"] = 3
        elif code in (3, 4):
            if kept["state"] == 6 and kept["job"] == job:
                kept.update(state=3, last=job, ends=kept["ends"] + 1) if code == 3 else kept.update(state=5)
            else:
                kept["result"] = 3
        else:
            kept["result"] = 2
