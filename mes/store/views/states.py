"""The states a screen can show: each has one colour class, one shape and one text, so that they never contradict."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Look:
    """`css` names the colour class, `shape` the icon, `text` the key of the catalogue. Normal states have no colour."""

    css: str
    shape: str
    text: str


class Show(Enum):
    """What a station, a chamber slot or a piece of the board is doing, from the calm to the worst."""

    EMPTY = Look("empty", "none", "Empty")
    IDLE = Look("idle", "circle", "Waiting")
    READY = Look("ready", "triangle", "Ready to start")
    SIGN = Look("sign", "pen", "To be signed")
    RUNNING = Look("running", "play", "Running")
    DONE = Look("done", "check", "Done")
    CURING = Look("curing", "wave", "Curing")
    CURED = Look("cured", "check", "Strength reached")
    CUBE = Look("warn", "cube", "Needs cube test")
    NO_LINK = Look("nolink", "cut", "Link lost")
    STOPPED = Look("stopped", "octagon", "Stopped")

    @property
    def id(self) -> str:
        return self.name.lower()


WORST_FIRST = (Show.STOPPED, Show.NO_LINK, Show.CUBE)
