"""What happens during a pull, as events for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullAwaited:
    """Another process is pulling the same model; this one continues when that one is done."""

    model_id: str


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """So many bytes of the model are here; sent several times a second."""

    model_id: str
    source: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class SourceRefused:
    """A source could not give a file, or gave a wrong one; the next source is tried."""

    model_id: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConversionStarted:
    """A derived model is being made from another one."""

    model_id: str
    source_id: str


@dataclass(frozen=True, slots=True)
class ModelPulled:
    """The model is here and right. `is_new` is false when there was nothing to fetch."""

    model_id: str
    is_new: bool


PullEvent = PullAwaited | BytesReceived | SourceRefused | ConversionStarted | ModelPulled
Notify = Callable[[PullEvent], None]


def ignore(_: PullEvent) -> None:
    """Show nothing."""
