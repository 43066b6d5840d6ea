"""Videos, the relay that keeps or drops, and addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from morphoscope.apps.watching.opening import SourceSettings, open_source
from morphoscope.apps.watching.relay import AHEAD, Relay
from morphoscope.apps.watching.rtsp import without_password
from morphoscope.apps.watching.sightings import BREAK_S, Sightings
from morphoscope.apps.watching.source import Arrival, Version
from morphoscope.apps.watching.video import VideoSettings, VideoSource
from morphoscope.errors import MorphoscopeError, ReadError
from morphoscope.micrograph import Micrograph

FRAMES, FPS = 24, 50.0


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames whose grey level is 10 × their number, one a 50th of a second."""
    path = tmp_path_factory.mktemp("video") / "levels.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (96, 72), False)
    for number in range(1, FRAMES + 1):
        writer.write(np.full((72, 96), 10 * number, np.uint8))
    writer.release()
    return path


def level(arrival: Arrival) -> float:
    assert isinstance(arrival.content, Micrograph)
    return float(arrival.content.pixels.mean())


def test_frames_come_in_order_with_number_time_and_scale(video: Path) -> None:
    arrivals = list(VideoSource(video, VideoSettings(pixel_size_nm=0.5)).arrivals(Event()))
    assert [one.frame for one in arrivals] == list(range(1, FRAMES + 1))
    assert [level(one) for one in arrivals] == pytest.approx([10 * one.frame for one in arrivals], abs=2)
    assert arrivals[5].seconds == pytest.approx(5 / FPS) and arrivals[5].name == "levels.avi frame 6"
    content = arrivals[0].content
    assert isinstance(content, Micrograph) and content.pixels.shape == (72, 96)
    assert content.pixel_size is not None and (content.pixel_size.x_nm, content.pixel_size.origin) == (0.5, "user")


def test_every_so_manieth_frame_and_those_after_one(video: Path) -> None:
    frames = [one.frame for one in VideoSource(video, VideoSettings(every=7, after=8)).arrivals(Event())]
    assert frames == [15, 22]


def test_at_its_pace_frames_come_as_a_camera_gives_them(video: Path) -> None:
    began = time.monotonic()
    frames = [one.taken - began for one in VideoSource(video, VideoSettings(at_its_pace=True)).arrivals(Event())]
    assert frames[-1] >= (FRAMES - 1) / FPS * 0.95


@pytest.mark.parametrize(
    "content", [b"", b"no video" * 50, b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n"]
)
def test_what_is_no_video_is_a_sentence(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.avi"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="no video that FFmpeg can decode"):
        VideoSource(path, VideoSettings())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere", "no such folder or file"),
        ("http://camera.example/stream", "no address that can be watched"),
        ("9999", "can't be opened"),
    ],
)
def test_what_cannot_be_watched_is_a_sentence(named: str, said: str) -> None:
    with pytest.raises(MorphoscopeError, match=said):
        open_source(named, SourceSettings())


def test_a_single_picture_is_told_of_predict(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    with pytest.raises(MorphoscopeError, match="morphoscope predict"):
        open_source(str(tmp_path / "a.tif"), SourceSettings())


def test_an_address_is_shown_without_what_is_secret() -> None:
    assert without_password("rtsp://ada:secret@10.0.0.5:554/live?key=7") == "rtsp://10.0.0.5:554/live"


class Scripted:
    """A source that gives frames as fast as they are taken, or without waiting where it is live."""

    name = "scripted"

    def __init__(self, count: int, is_live: bool, failure: Exception | None = None) -> None:
        self.count, self.is_live, self.failure, self.given, self.has_given_all = count, is_live, failure, 0, Event()

    def arrivals(self, stop: Event) -> Iterator[Arrival]:
        for number in range(1, self.count + 1):
            if stop.is_set():
                return
            self.given = number
            yield Arrival(Path("s"), number, time.monotonic(), float(number), "")
        self.has_given_all.set()
        if self.failure:
            raise self.failure


def test_a_relay_that_keeps_loses_nothing_and_reads_little_ahead() -> None:
    source = Scripted(40, is_live=False)
    with Relay(source) as relay:
        first = next(iter(relay))
        time.sleep(0.1)
        assert source.given <= first.frame + AHEAD + 1
        rest = [one.frame for one in relay]
    assert rest == list(range(2, 41)) and relay.dropped == 0


def test_a_live_relay_gives_the_newest_and_counts_the_others() -> None:
    source = Scripted(40, is_live=True)
    with Relay(source) as relay:
        assert source.has_given_all.wait(5)
        time.sleep(0.05)
        assert [one.frame for one in relay] == [40]
    assert relay.dropped == 39


def test_a_source_that_fails_says_so_after_what_it_gave() -> None:
    taken = []
    with pytest.raises(ReadError, match="cable"), Relay(Scripted(3, is_live=False, failure=ReadError("cable"))) as relay:
        taken += [one.frame for one in relay]
    assert taken == []
    with Relay(Scripted(3, is_live=False, failure=ReadError("cable"))) as relay, pytest.raises(ReadError):
        for one in relay:
            taken.append(one.frame)
    assert taken == [1, 2, 3]


def test_stopping_from_another_thread_ends_the_arrivals() -> None:
    source = Scripted(10**9, is_live=False)
    with Relay(source) as relay:
        next(iter(relay))
        relay.stop()
        assert not list(relay)


def frame(seconds: float, version: Version | None = None) -> Arrival:
    return Arrival(Path("v.avi"), 1, 0.0, seconds, "", version)


def test_a_target_that_stays_in_view_is_told_once() -> None:
    sightings = Sightings()
    told = [sightings.is_news(frame(seconds)) for seconds in (0.0, 0.5, 2.0, 2.0 + BREAK_S + 0.1, 4.5)]
    assert told == [True, False, False, True, False] and sightings.count == 2
    assert all(sightings.is_news(frame(5.0, Version(1, ""))) for _ in range(2))
