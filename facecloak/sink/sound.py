"""The sound of a file, copied packet by packet beside the frames of another."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

logger = logging.getLogger(__name__)


class Sound:
    """The first sound track of one file on its way into another.

    Args:
        source: the open file it comes from; it is closed with the copy.
        track: the sound track in it.
        copy: the track that it becomes.
    """

    def __init__(self, source: InputContainer, track: AudioStream, copy: AudioStream) -> None:
        self._source = source
        self._copy = copy
        self._start_s = max(source.start_time or 0, 0) / av.time_base
        self._packets = self._read(track)
        self._waiting = next(self._packets, None)

    @classmethod
    def open(cls, path: Path, target: OutputContainer) -> Self | None:
        """Open ``path`` and add its track to ``target``.

        Returns:
            None where it has no sound, or none that ``target`` can hold: the log says so.
        """
        try:
            source = av.open(f"file:{path}", metadata_errors="replace")
        except (OSError, av.FFmpegError):
            logger.warning("the sound of %s cannot be read: the output is silent", path.name)
            return None
        if not source.streams.audio:
            source.close()
            return None
        track = source.streams.audio[0]
        codec = track.codec_context.name
        if codec not in target.supported_codecs:
            source.close()
            name = target.format.name
            logger.warning("%s cannot hold the %s sound: the output is silent", name, codec)
            return None
        return cls(source, track, target.add_stream_from_template(track))

    def take(self, until_s: float) -> Iterator["Packet[AudioStream]"]:
        """Yield the packets up to ``until_s``, in seconds from the start of the file."""
        while self._waiting is not None and self._time_s(self._waiting) <= until_s:
            packet, self._waiting = self._waiting, next(self._packets, None)
            yield self._moved(packet)

    def close(self) -> None:
        """Close the file it came from."""
        self._source.close()

    def _read(self, track: AudioStream) -> Iterator["Packet[AudioStream]"]:
        try:
            yield from (packet for packet in self._source.demux(track) if packet.dts is not None)
        except av.FFmpegError:
            logger.warning("the sound is damaged: the output is silent from there")

    def _time_s(self, packet: "Packet[AudioStream]") -> float:
        return float((packet.dts or 0) * packet.time_base) - self._start_s

    def _moved(self, packet: "Packet[AudioStream]") -> "Packet[AudioStream]":
        ticks = round(self._start_s / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - ticks
        packet.pts = None if packet.pts is None else packet.pts - ticks
        packet.stream = self._copy
        return packet
