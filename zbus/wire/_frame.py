"""Frames: one captured picture with its header (spec 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zbus.errors import WireError
from zbus.wire._envelope import Buffer, Message
from zbus.wire._header import Header, read_int, read_text
from zbus.wire._limits import FRAME_MAX_BYTES, SIDE_MAX_PX
from zbus.wire._pixels import pixel_format
from zbus.wire._topics import FRAME

RAW, JPEG = "raw", "jpeg"
CODECS = (RAW, JPEG)


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured picture.

    `data` holds the pixels row by row, `stride_bytes` apart, or the bytes of the compressed picture where
    `codec` is not raw (then `stride_bytes` is 0). A received frame's `data` is a view of the message's own
    memory: it lives as long as the frame does and must not be written to. Times: `captured_ns` is UTC by
    the named `clock`, `mono_ns` the monotonic clock of the capturing host, both at the grab.

    `relayed_mono_ns` is this host's monotonic clock when a relay brought the frame here, `thinned` how many
    frames directly before it the relay left out on purpose. A frame that lies in shared memory may be written
    over while it is looked at: `valid` tells.
    """

    kind: ClassVar[str] = FRAME

    camera: str
    frame_number: int
    captured_ns: int
    mono_ns: int
    width: int
    height: int
    pixel_format: str
    data: Buffer = field(repr=False)
    stride_bytes: int = 0
    codec: str = RAW
    clock: str = "host"
    device_ns: int | None = None
    relayed_mono_ns: int | None = None
    thinned: int = 0
    check: Callable[[], bool] | None = field(default=None, compare=False, repr=False)

    def valid(self) -> bool:
        """True while the pixels are those of this frame. To be asked after they were used."""
        return self.check is None or self.check()

    @property
    def nbytes(self) -> int:
        """How many bytes the payload has."""
        return memoryview(self.data).nbytes

    @property
    def image(self) -> NDArray[Any]:
        """The pixels as a read-only view, (height, width) or (height, width, channels).

        Raises WireError `not_raw` where the picture is compressed.
        """
        if self.codec != RAW:
            raise WireError(
                "not_raw", f"the picture is {self.codec}: decode `data` with a {self.codec} reader"
            )
        pixels = pixel_format(self.pixel_format)
        shape, strides = (self.height, self.width), (self.stride_bytes, pixels.pixel_bytes)
        if pixels.channels > 1:
            shape, strides = (*shape, pixels.channels), (*strides, pixels.dtype.itemsize)
        image: NDArray[Any] = np.ndarray(shape, pixels.dtype, self.data, strides=strides)
        image.flags.writeable = False
        return image

    def header(self) -> dict[str, Any]:
        """The keys a frame adds to the header. Raises WireError where they contradict each other."""
        nbytes = self.nbytes
        _check_frame(self, nbytes)
        header: dict[str, Any] = {
            "camera": self.camera,
            "frame_number": self.frame_number,
            "captured_ns": self.captured_ns,
            "mono_ns": self.mono_ns,
            "clock": self.clock,
            "width": self.width,
            "height": self.height,
            "pixel_format": self.pixel_format,
            "stride_bytes": self.stride_bytes,
            "codec": self.codec,
            "nbytes": nbytes,
        }
        if self.device_ns is not None:
            header["device_ns"] = self.device_ns
        if self.relayed_mono_ns is not None:
            header["relayed_mono_ns"] = self.relayed_mono_ns
        if self.thinned:
            header["thinned"] = self.thinned
        return header

    def payload(self) -> tuple[Buffer, ...]:
        """The pixels, not copied."""
        return (self.data,)


def frame_of_image(
    image: NDArray[Any],
    pixel_format_name: str,
    *,
    camera: str,
    frame_number: int,
    captured_ns: int,
    mono_ns: int,
    clock: str = "host",
    device_ns: int | None = None,
) -> Frame:
    """Make a raw frame of an array, which must then not be written to until the frame was sent.

    `image` is (height, width) or (height, width, channels) of the format's dtype; it is copied only where
    its pixels do not lie in order. Raises WireError where array and format disagree.
    """
    pixels = pixel_format(pixel_format_name)
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels != pixels.channels or image.dtype != pixels.dtype:
        raise WireError("wrong_type", f"an array {image.shape} of {image.dtype} is not {pixel_format_name}")
    height, width = image.shape[:2]
    if not image.flags.c_contiguous or not image.size:
        image = np.ascontiguousarray(image).reshape(-1).view(np.uint8)
    return Frame(
        camera=camera,
        frame_number=frame_number,
        captured_ns=captured_ns,
        mono_ns=mono_ns,
        width=width,
        height=height,
        pixel_format=pixel_format_name,
        data=image.data.cast("B") if image.size else image.data,
        stride_bytes=width * pixels.pixel_bytes,
        clock=clock,
        device_ns=device_ns,
    )


def decode_frame(message: Message) -> Frame:
    """Read a frame. Every size is checked against the payload before it is used. Raises WireError."""
    if len(message.payload) != 1:
        raise WireError("wrong_part_count", f"a frame has one payload part, not {len(message.payload)}")
    return read_frame(message.header, message.payload[0])


def make_frame(header: Header, data: Buffer, check: Callable[[], bool] | None = None) -> Frame:
    """The frame of a header that is known to be right for as many bytes as `data` has."""
    return Frame(
        header["camera"],
        header["frame_number"],
        header["captured_ns"],
        header["mono_ns"],
        header["width"],
        header["height"],
        header["pixel_format"],
        data,
        header["stride_bytes"],
        header["codec"],
        header["clock"],
        header.get("device_ns"),
        header.get("relayed_mono_ns"),
        header.get("thinned", 0),
        check,
    )


def read_frame(header: Header, data: Buffer, check: Callable[[], bool] | None = None) -> Frame:
    """The frame of a header whose pixels are `data`, wherever these came from. Raises WireError."""
    nbytes = read_int(header, "nbytes", high=FRAME_MAX_BYTES)
    payload_bytes = memoryview(data).nbytes
    if nbytes != payload_bytes:
        raise WireError("size_mismatch", f"nbytes is {nbytes}, the payload has {payload_bytes}")
    frame = Frame(
        camera=read_text(header, "camera", 64),
        frame_number=read_int(header, "frame_number"),
        captured_ns=read_int(header, "captured_ns"),
        mono_ns=read_int(header, "mono_ns"),
        width=read_int(header, "width", 1, SIDE_MAX_PX),
        height=read_int(header, "height", 1, SIDE_MAX_PX),
        pixel_format=read_text(header, "pixel_format", 32),
        data=data,
        stride_bytes=read_int(header, "stride_bytes", high=FRAME_MAX_BYTES),
        codec=read_text(header, "codec", 16),
        clock=read_text(header, "clock", 32),
        device_ns=read_int(header, "device_ns") if "device_ns" in header else None,
        relayed_mono_ns=read_int(header, "relayed_mono_ns") if "relayed_mono_ns" in header else None,
        thinned=read_int(header, "thinned") if "thinned" in header else 0,
        check=check,
    )
    _check_frame(frame, nbytes)
    return frame


def _check_frame(frame: Frame, nbytes: int) -> None:
    pixels = pixel_format(frame.pixel_format)
    if frame.codec not in CODECS:
        raise WireError("unknown_codec", f"{frame.codec[:16]!r}")
    if not (1 <= frame.width <= SIDE_MAX_PX and 1 <= frame.height <= SIDE_MAX_PX):
        raise WireError("out_of_range", f"{frame.width} x {frame.height} px")
    if not 0 < nbytes <= FRAME_MAX_BYTES:
        raise WireError("out_of_range", f"{nbytes} bytes of pixels")
    if frame.codec == RAW:
        _check_rows(frame, pixels.pixel_bytes, nbytes)
    elif frame.stride_bytes:
        raise WireError("size_mismatch", f"stride_bytes is {frame.stride_bytes} for {frame.codec}, not 0")


def _check_rows(frame: Frame, pixel_bytes: int, nbytes: int) -> None:
    if frame.stride_bytes < frame.width * pixel_bytes:
        raise WireError("size_mismatch", f"stride_bytes {frame.stride_bytes} is less than a row")
    if frame.stride_bytes * frame.height != nbytes:
        raise WireError("size_mismatch", f"{frame.stride_bytes} x {frame.height} is not {nbytes} bytes")
