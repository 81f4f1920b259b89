"""How a call sounds, told from its packets: the E-model's rating R, and MOS (ITU-T G.107, G.107.1).

loss, its runs, delay -> R (0 to 100) -> MOS (1 to 4.5)

The short form: what isn't known of a packet (noise, level, echo) has G.107's default
values, which leave R = 93.2. Codec values are those of G.113 appendices I and IV.
"""

from __future__ import annotations

from dataclasses import dataclass

from softagent.media.frame import FRAME_MS

DELAY_KNEE_MS = 177.3
"""From here on a delay is felt as such (G.107 short form, Cole and Rosenbluth 2001)."""
MOST_IMPAIRMENT = 95.0
"""What losing everything costs (G.107 equation 7-29)."""
WIDEBAND_SCALE = 1.29
"""The best of wideband is 129 where that of narrowband is 100 (G.107.1 equation 7-1)."""


@dataclass(frozen=True, slots=True)
class CodecQuality:
    """What a codec costs by itself, and how well it bears loss."""

    best: float
    """R of a perfect connection."""
    impairment: float
    """Ie."""
    robustness: float
    """Bpl: the loss in percent that costs half of what is left."""
    scale: float = 1.0
    """By how much R goes beyond 100."""


G711 = CodecQuality(best=93.2, impairment=0.0, robustness=25.1)
"""With concealment (G.113 appendix I: Bpl 4.3 without)."""
G722 = CodecQuality(best=129.0, impairment=13.0, robustness=4.3, scale=WIDEBAND_SCALE)
"""64 kbit/s (G.113 appendix IV: Ie,WB 13). It gives no Bpl,WB for G.722: that of AMR-WB at
12.65 kbit/s, whose Ie,WB is 13 as well, stands in; with our concealment that is rather strict."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One direction of a call."""

    r_factor: float
    """0 to 100: above 80 satisfied, below 60 nearly all dissatisfied (G.109)."""
    mos: float
    """1 to 4.5, conversational. Wideband has a scale of its own (P.800.1: MOS-CQEW)."""


def quality(
    codec: str, *, delay_ms: float, loss_percent: float, burst_ratio: float = 1.0
) -> Quality:
    """Rate a direction: one-way delay from mouth to ear, loss, and how much it clusters.

    `burst_ratio` is 1 for loss at random and more where it comes in runs (G.107 section
    7.4.2); `codec` is PCMU, PCMA or G722.
    """
    costs = G722 if codec == "G722" else G711
    r_factor = costs.best - _delay_impairment(delay_ms)
    r_factor -= _effective_impairment(costs, loss_percent, burst_ratio)
    r_factor = min(max(r_factor / costs.scale, 0.0), 100.0)
    return Quality(r_factor, mos(r_factor))


def mos(r_factor: float) -> float:
    """What listeners would say on average to a connection rated R (G.107 annex B)."""
    if r_factor <= 0:
        return 1.0
    if r_factor >= 100:
        return 4.5
    r = r_factor
    return max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0)


def listening_delay_ms(round_trip_ms: float | None, buffer_ms: float) -> float:
    """From the caller's mouth to our ear: a packet's length, the network, our jitter buffer."""
    return FRAME_MS + (round_trip_ms or 0.0) / 2 + buffer_ms


def talking_delay_ms(round_trip_ms: float | None, jitter_ms: float) -> float:
    """From our mouth to the caller's ear; their jitter buffer is taken to fit their jitter."""
    return FRAME_MS + (round_trip_ms or 0.0) / 2 + max(FRAME_MS, 2 * jitter_ms)


def _delay_impairment(delay_ms: float) -> float:
    """Id."""
    return 0.024 * delay_ms + 0.11 * max(delay_ms - DELAY_KNEE_MS, 0.0)


def _effective_impairment(costs: CodecQuality, loss_percent: float, burst_ratio: float) -> float:
    """Ie,eff (G.107 equation 7-29)."""
    loss = min(max(loss_percent, 0.0), 100.0)
    spread = loss / max(burst_ratio, 1.0)
    rest = MOST_IMPAIRMENT - costs.impairment
    return costs.impairment + rest * loss / (spread + costs.robustness)
