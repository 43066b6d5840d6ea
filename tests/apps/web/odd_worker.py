"""A worker that sleeps, dies or fails when it is told to."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from morphoscope.apps.web.workers.loop import work_on
from morphoscope.apps.web.workers.messages import Message


def echo(job: dict[str, Any]) -> Message:
    print("what a decoder prints is no answer")
    return Message({"word": job["word"]})


def sleep(job: dict[str, Any]) -> Message:
    time.sleep(60)
    return Message({})


def die(job: dict[str, Any]) -> Message:
    os._exit(11)


def fail(job: dict[str, Any]) -> Message:
    raise RuntimeError("an odd picture")


if __name__ == "__main__":
    work_on({"echo": echo, "sleep": sleep, "die": die, "fail": fail}, int(sys.argv[1]))
