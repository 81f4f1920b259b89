"""What the fuzzers begin with, and how they damage it."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
TORTURE = HERE.parent / "sip"

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""For a long search by hand: that many examples instead of the tests' own, others each time."""

WORDS = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b",", b";", b":", b"=", b'"', b"<", b">", b"@"),
    *(b"\\", b"%00", b"\xff\xfe", b"SIP/2.0", b"INVITE", b"ACK", b"BYE", b"CANCEL", b"REGISTER"),
    *(b"sip:", b"tel:", b"z9hG4bK", b"branch=", b"tag=", b"rport", b"received=[::1]", b"lr"),
    *(b"-1", b"0", b"4294967296", b"99999999999999999999", b"\r\n\r\n", b"Content-Length: 5\r\n"),
    *(b"Content-Type: multipart/mixed\r\n", b"Require: 100rel\r\n", b"Via: SIP/2.0/UDP [::1]\r\n"),
    *(b"Session-Expires: 1\r\n", b"Contact: *\r\n", b"To: <sip:a@b>;tag=x\r\n", b"Replaces: a\r\n"),
    *(b"m=audio 1 RTP/AVP 0\r\n", b"c=IN IP6 ::\r\n", b"a=rtpmap:0 X/0\r\n", b"a=inactive\r\n"),
    *(b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\r\n", b"a=ptime:0\r\n", b"a=fmtp:\r\n"),
)


def bounded(examples: int) -> settings:
    """The same examples every time, within the time that tests may take."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate] if EXAMPLES else list(Phase),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def files(kind: str) -> tuple[bytes, ...]:
    """The corpus of one kind, and what belongs to it elsewhere in the tests."""
    paths = sorted(path for path in (CORPUS / kind).iterdir())
    if kind == "sip":
        paths += sorted(TORTURE.glob("torture*/*.dat"))
    return tuple(path.read_bytes() for path in paths)


@st.composite
def damaged(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """One of the seeds with some stretches of it cut out, doubled or replaced."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, min(60, len(data) - start)))
        new = draw(
            st.one_of(
                st.sampled_from(WORDS),
                st.binary(max_size=12),
                st.just(data[start:end] * 2),
                st.just(b""),
            )
        )
        data = data[:start] + new + data[end:]
    return data


@st.composite
def shuffled(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """The lines of one or two seeds, some missing, some twice, some of the other one."""
    first, second = draw(st.sampled_from(seeds)), draw(st.sampled_from(seeds))
    lines = first.split(b"\r\n")
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines)))
        match draw(st.integers(0, 2)):
            case 0:
                lines[at : at + 1] = []
            case 1:
                lines.insert(at, draw(st.sampled_from(second.split(b"\r\n"))))
            case _:
                lines[at:at] = lines[at : at + 1]
    return b"\r\n".join(lines)


def mutations(kind: str) -> st.SearchStrategy[bytes]:
    """Anything that grew out of the corpus of that kind."""
    seeds = files(kind)
    return st.one_of(damaged(seeds), shuffled(seeds))
