"""[account.sound]: what is done to the caller's sound before anybody listens to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """Recordings keep the sound as it came."""

    echo_cancelling: bool = True
    """Takes the agent's own voice out where it comes back; a line without echo stays as it is."""
    noise_suppression: bool = False
    """WebRTC's, for callers in noise. The recognizers do better without it: listen first."""
    gain_control: bool = False
    """WebRTC's; makes soft callers louder."""

    @property
    def is_needed(self) -> bool:
        """Whether anything is to be done."""
        return self.echo_cancelling or self.needs_webrtc

    @property
    def needs_webrtc(self) -> bool:
        """Whether the extra "webrtc" has to be installed."""
        return self.noise_suppression or self.gain_control
