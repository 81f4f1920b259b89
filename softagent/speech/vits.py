"""The waveform decoder of a VITS network (Kim et al. 2021), run piece by piece.

The decoder (HiFi-GAN, Kong et al. 2020) is most of the work of a VITS network, and each
sample depends on a few latent frames to either side only. Decoding a window of frames
together with that context gives the same samples as decoding the whole sentence.

    latents   |....context|=====window=====|context....|
    sound                  =====samples=====
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from softagent.speech.spoken import Wave

FIRST_FRAMES = 32
"""Latent frames in the first window (370 ms at 22,050 Hz): small, because it is waited for."""
NEXT_FRAMES = 96


class WindowedDecoder:
    """Takes a Coqui VITS model's decoder out of it and runs it over windows of frames.

    From then on the model's own inference ends with what the decoder would have been given.
    """

    def __init__(self, model: Any) -> None:
        from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

        self._decoder = model.waveform_decoder
        model.waveform_decoder = _pass_latents()
        for module in self._decoder.modules():
            # Weight normalisation serves training; here it would be computed for every window.
            if is_parametrized(module, "weight"):
                remove_parametrizations(module, "weight")
        self._frame_samples = math.prod(model.args.upsample_rates_decoder)
        self.context_frames = context_frames(model.args)

    def windows(self, frames: int) -> Iterator[tuple[int, int]]:
        """First and last frame (exclusive) of each window of a sentence of `frames` frames."""
        start, length = 0, FIRST_FRAMES
        while start < frames:
            end = min(start + length, frames)
            yield start, end
            start, length = end, NEXT_FRAMES

    def decode(self, latents: Any, start: int, end: int) -> Wave:
        """Sound of the frames from `start` to `end`: latents (1, channels, frames) -> samples (n,)."""
        import torch

        first = max(0, start - self.context_frames)
        last = end + self.context_frames
        with torch.inference_mode():
            sound: Wave = self._decoder(latents[:, :, first:last])[0, 0].numpy()
        skipped = (start - first) * self._frame_samples
        return sound[skipped : skipped + (end - start) * self._frame_samples]


def context_frames(args: Any) -> int:
    """How many latent frames to either side a sample depends on: the decoder's receptive field.

    Each layer adds its reach, divided by the rate that the sound has there.
    """
    frames, rate = 3.0, 1  # the first convolution, kernel 7
    is_double = args.resblock_type_decoder == "1"
    reach = max(
        sum((kernel - 1) / 2 * (dilation + is_double) for dilation in dilations)
        for kernel, dilations in zip(
            args.resblock_kernel_sizes_decoder, args.resblock_dilation_sizes_decoder, strict=True
        )
    )
    for factor, kernel in zip(
        args.upsample_rates_decoder, args.upsample_kernel_sizes_decoder, strict=True
    ):
        frames += kernel / factor / 2 / rate
        rate *= factor
        frames += reach / rate
    return math.ceil(frames + 3 / rate)


def _pass_latents() -> Any:
    """A layer in the decoder's place that hands on what it is given."""
    import torch

    class Latents(torch.nn.Module):  # type: ignore[misc]
        def forward(self, latents: Any, g: Any = None) -> Any:
            return latents

    return Latents()
