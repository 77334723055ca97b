"""Handshakes over the in-memory driver on a virtual clock: once, through outages, restarts, busy machines and doubt."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mes.core.clock import LoopClock
from mes.core.errors import PlcError, RuleBroken
from mes.plc.drivers import make_handshake, make_link
from mes.plc.handshake.command import JobRequest, MemoryCommands
from mes.plc.soft import ABORTED, ENDED, INTERRUPTED, RUNNING, MemoryJobs, MemoryPlc
from mes.plc.tagmap import load_tagmap
from mes.plc.tags import TagTable
from tests.plc.mailbox_plc import ANSWER, COMMAND, MailboxPlc
from tests.plc.virtual import run_virtual

MAILBOX = f"""
links:
  m:
    protocol: memory
    handshake:
      kind: mailbox
      command: {{table: holding, address: {COMMAND}}}
      answer: {{table: input, address: {ANSWER}}}
      parameters: {{volume_l: {{word: 4, type: uint16}}, hold_c: {{word: 5, scale: 0.1}}}}
      payload: {{table: holding, address: 1000, words: 40}}
"""
JOBS = "links:\n  m: {protocol: memory, handshake: {kind: job_control, receiver: r}}\n"
TAGS = """
links:
  m:
    protocol: memory
    handshake:
      kind: tags
      roles: {job_id: m/job, command: m/cmd, ready: m/ready, busy: m/busy, done: m/done, last_job_id: m/last}
      command_values: {start: 1, abort: 2, acknowledge: 3}
      parameters: {cycle_ms: m/cycle}
tags:
  m/job: {link: m, type: string, access: rw, limits: {max_length: 40}}
  m/cmd: {link: m, type: int16, access: rw, limits: {min: 0, max: 3}}
  m/cycle: {link: m, type: int32, access: rw, limits: {min: 0, max: 1000}}
  m/ready: {link: m, type: bool}
  m/busy: {link: m, type: bool}
  m/done: {link: m, type: bool}
  m/last: {link: m, type: string}
"""


class Bench:
    """One link to one PLC in memory."""

    def __init__(self, text: str, tmp_path: Path, plc: MemoryPlc) -> None:
        path = tmp_path / "tags.yaml"
        path.write_text(text, encoding="utf-8")
        self.map, self.plc, self.commands, self.states = load_tagmap(path), plc, MemoryCommands(), []
        self.start()

    def start(self) -> None:
        """A fresh MES process: only the table of commands remains."""
        loop = asyncio.get_running_loop()
        clock = LoopClock(datetime(2026, 11, 2, tzinfo=UTC))
        self.table = TagTable(loop.time)
        rng = random.Random(1)
        self.link = make_link(self.map, "m", self.table, clock=clock, rng=rng, memory={"m": self.plc})
        self.task = asyncio.create_task(self.link.run())
        self.handshake = make_handshake(self.link, self.commands)

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def note(self, state: str, detail: str) -> None:
        self.states.append(state)


class Program:
    """Runs a mailbox PLC against the words of a MemoryPlc."""

    def __init__(self) -> None:
        self.box, self.memory, self.on = MailboxPlc(), MemoryPlc(), True
        self.task = asyncio.create_task(self.scan())

    async def scan(self) -> None:
        while True:
            if self.on:
                block = [self.memory.words.get(("holding", COMMAND + i), 0) for i in range(24)]
                for i, word in enumerate(self.box.scan(block)):
                    self.memory.words[("input", ANSWER + i)] = word
            await asyncio.sleep(0.05)


def test_mailbox_runs_a_job_with_parameters_and_payload(tmp_path):
    async def story():
        program = Program()
        bench = Bench(MAILBOX, tmp_path, program.memory)
        request = JobRequest(2**62 + 5, parameters={"volume_l": 1234, "hold_c": 48.5}, payload=b'{"a":1}')
        outcome = await bench.handshake.run(request, on_state=bench.note)
        assert (outcome.state, outcome.result) == ("done", "ok")
        assert program.box.starts == program.box.ends == [2**62 + 5]
        assert program.box.parameters[4:6] == [1234, 485]
        assert program.box.parameters[:2] == [0, 7]
        assert (
            bytes(b for i in range(4) for b in program.memory.words[("holding", 1000 + i)].to_bytes(2, "big"))
            == b'{"a":1}\0'
        )
        assert bench.states == ["sent", "running", "done"]
        assert await bench.handshake.run(request) == outcome
        assert program.box.starts == [2**62 + 5]

    run_virtual(story())


@pytest.mark.parametrize("fault", ["cable", "freeze", "torn", "power"])
def test_mailbox_starts_once_through_faults(tmp_path, fault):
    async def story():
        program = Program()
        bench = Bench(MAILBOX, tmp_path, program.memory)
        program.box.run_scans = 100
        run = asyncio.create_task(bench.handshake.run(JobRequest(7)))
        if fault == "torn":
            program.memory.on_words = lambda table, address, words: program.memory.words.update(
                {(table, address + 9): 999}
            )
            await asyncio.sleep(3)
            assert program.box.bad_blocks >= 1
            program.memory.on_words = None
        await asyncio.sleep(1)
        if fault == "cable":
            program.memory.reachable = False
            await asyncio.sleep(20)
            program.memory.reachable = True
        if fault == "freeze":
            program.memory.answering = False
            await asyncio.sleep(20)
            assert bench.link.state != "online"
            program.memory.answering = True
        if fault == "power":
            program.box.power_cycle()
        outcome = await asyncio.wait_for(run, 60)
        assert program.box.starts == [7]
        assert outcome.state == ("unknown" if fault == "power" else "done")
        if fault == "power":
            assert (await bench.handshake.resolve(7, "scrap")).state == "aborted"
            assert program.box.retained["state"] == 5
            assert (await bench.handshake.run(JobRequest(8))).state == "done"
            with pytest.raises(RuleBroken):
                await bench.handshake.resolve(8, "done")

    run_virtual(story())


def test_mailbox_resumes_after_a_crash_at_any_moment(tmp_path):
    async def story():
        program = Program()
        bench = Bench(MAILBOX, tmp_path, program.memory)
        rng = random.Random(3)
        for job in range(1, 31):
            run = asyncio.create_task(bench.handshake.run(JobRequest(job)))
            while not run.done():
                await asyncio.sleep(rng.random() * 0.6)
                if run.done():
                    break
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)
                await bench.kill()
                bench.start()
                run = asyncio.create_task(bench.handshake.run(JobRequest(job)))
            assert run.result().state == "done"
        assert program.box.starts == program.box.ends == list(range(1, 31))

    run_virtual(story())


def test_mailbox_waits_for_a_busy_machine_and_returns_other_refusals(tmp_path):
    async def story():
        program = Program()
        bench = Bench(MAILBOX, tmp_path, program.memory)
        program.box.retained.update(state=2, job=99)
        program.box.left = 40
        assert (await bench.handshake.run(JobRequest(1), on_state=bench.note)).state == "done"
        assert bench.states[0] == "waiting"
        program.box.refuse = True
        outcome = await bench.handshake.run(JobRequest(2))
        assert (outcome.state, outcome.result) == ("refused", "range")
        with pytest.raises(PlcError, match="no word"):
            await bench.handshake.run(JobRequest(3, parameters={"depth": 1}))
        with pytest.raises(PlcError, match="larger"):
            await bench.handshake.run(JobRequest(3, payload=b"x" * 81))

    run_virtual(story())


def test_mailbox_aborts_and_notices_another_memory(tmp_path):
    async def story():
        program = Program()
        bench = Bench(MAILBOX, tmp_path, program.memory)
        program.box.run_scans = 1000
        run = asyncio.create_task(bench.handshake.run(JobRequest(1)))
        await asyncio.sleep(1)
        assert (await bench.handshake.run(JobRequest(1, "abort"))).state == "aborted"
        assert (await run).state == "aborted"
        run = asyncio.create_task(bench.handshake.run(JobRequest(2)))
        await asyncio.sleep(1)
        program.box.__init__(epoch=5)
        outcome = await asyncio.wait_for(run, 30)
        assert (outcome.state, outcome.result) == ("unknown", "wrong_epoch")

    run_virtual(story())


def job_bench(tmp_path, status=1):
    started = []

    def start(job, parameters):
        if status == 1:
            started.append((job, dict(parameters)))
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, jobs.move, job, RUNNING)
            loop.call_later(
                3.0,
                lambda: (
                    jobs.entries.get(job)
                    and jobs.entries[job].state == RUNNING
                    and jobs.move(job, ENDED, data={"poured_l": 9})
                ),
            )
        return status

    jobs = MemoryJobs(start)
    return Bench(JOBS, tmp_path, MemoryPlc(jobs=jobs)), jobs, started


def test_job_control_runs_resumes_and_clears(tmp_path):
    async def story():
        bench, jobs, started = job_bench(tmp_path)
        run = asyncio.create_task(bench.handshake.run(JobRequest(5, parameters={"a": 1}, payload=b"xy")))
        await asyncio.sleep(1.5)
        run.cancel()
        await bench.kill()
        bench.start()
        outcome = await bench.handshake.run(JobRequest(5), on_state=bench.note)
        assert (outcome.state, outcome.data["poured_l"]) == ("done", 9)
        assert [job for job, _ in started] == ["5"]
        assert started[0][1]["payload"] == b"xy"
        assert jobs.entries == {}
        again = asyncio.create_task(bench.handshake.run(JobRequest(6)))
        await asyncio.sleep(1.0)
        jobs.move("6", INTERRUPTED, text="unknown")
        assert (await again).state == "unknown"
        assert (await bench.handshake.resolve(6, "done")).state == "done"
        assert jobs.reports["6"].state == ENDED

    run_virtual(story())


def test_job_control_refusals_aborts_and_outages(tmp_path):
    async def story():
        bench, _, _ = job_bench(tmp_path, status=16)
        assert (await bench.handshake.run(JobRequest(1))).state == "refused"
        await bench.kill()
        bench, jobs, started = job_bench(tmp_path)
        jobs.move("77", RUNNING)
        run = asyncio.create_task(bench.handshake.run(JobRequest(2), on_state=bench.note))
        await asyncio.sleep(3)
        assert not started
        jobs.move("77", ABORTED)
        await asyncio.sleep(1)
        bench.plc.reachable = False
        await asyncio.sleep(10)
        bench.plc.reachable = True
        assert (await run).state == "done"
        assert [job for job, _ in started] == ["2"]
        run = asyncio.create_task(bench.handshake.run(JobRequest(3)))
        await asyncio.sleep(1)
        assert (await bench.handshake.run(JobRequest(3, "abort"))).state == "aborted"
        assert (await run).state == "aborted"

    run_virtual(story())


class OldProgram:
    """An existing program: start taken when ready, done until acknowledged."""

    def __init__(self) -> None:
        self.memory, self.starts, self.scans = MemoryPlc(), [], 0
        self.memory.values = {
            "m/job": "",
            "m/cmd": 0,
            "m/cycle": 0,
            "m/ready": True,
            "m/busy": False,
            "m/done": False,
            "m/last": "",
        }
        self.task = asyncio.create_task(self.scan())

    async def scan(self) -> None:
        while True:
            v = self.memory.values
            if v["m/ready"] and v["m/cmd"] == 1:
                self.starts.append(v["m/job"])
                v.update({"m/ready": False, "m/busy": True, "m/cmd": 0})
                self.scans = 30
            elif v["m/busy"]:
                self.scans -= 1
                if self.scans == 0:
                    v.update({"m/busy": False, "m/done": True, "m/last": v["m/job"]})
            elif v["m/done"] and v["m/cmd"] == 3:
                v.update({"m/done": False, "m/ready": True, "m/cmd": 0})
            await asyncio.sleep(0.05)


def test_tags_handshake_runs_resumes_and_refuses(tmp_path):
    async def story():
        program = OldProgram()
        bench = Bench(TAGS, tmp_path, program.memory)
        rng = random.Random(5)
        for job in range(1, 11):
            run = asyncio.create_task(bench.handshake.run(JobRequest(job, parameters={"cycle_ms": job})))
            for _ in range(2):
                await asyncio.sleep(rng.random() * 1.5)
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)
                await bench.kill()
                bench.start()
                run = asyncio.create_task(bench.handshake.run(JobRequest(job, parameters={"cycle_ms": job})))
            assert (await run).state == "done"
        assert program.starts == [str(job) for job in range(1, 11)]
        assert program.memory.values["m/cycle"] == 10
        assert (await bench.handshake.run(JobRequest(11, parameters={"cycle_ms": 5000}))).state == "refused"
        run = asyncio.create_task(bench.handshake.run(JobRequest(12)))
        await asyncio.sleep(0.5)
        program.memory.values.update({"m/busy": False, "m/ready": True, "m/job": ""})
        assert (await asyncio.wait_for(run, 30)).state == "unknown"

    run_virtual(story())
