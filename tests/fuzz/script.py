"""A call as bytes, for the coverage-guided fuzzer: datagrams with a letter before each, `@@` between them.

p, s   the rest comes from the PBX or from a stranger; TAG in it stands for our tag
w      as many seconds pass as the next byte says
a, h   our side answers or hangs up
"""

from __future__ import annotations

from telephone import PBX, STRANGER, Telephone, telephone

from softagent.sip.pyvoip import ReceivedCall

SEPARATOR = b"@@"
MOST_STEPS = 20
QUIET_SECONDS = 400.0


def run(data: bytes) -> None:
    """Play the script; nothing may be raised, logged as an error or left over."""
    with telephone() as subject:
        for step in data.split(SEPARATOR)[:MOST_STEPS]:
            _do(step[:1], step[1:], subject)
        for call in subject.calls:
            call.hang_up()
        subject.wait(QUIET_SECONDS)
        assert not any(subject.leftovers().values())


def _do(kind: bytes, rest: bytes, subject: Telephone) -> None:
    tag = next(reversed(subject.tags.values()), "none").encode("utf-8", "surrogateescape")
    match kind:
        case b"p":
            subject.deliver(rest.replace(b"TAG", tag), PBX)
        case b"s":
            subject.deliver(rest.replace(b"TAG", tag), STRANGER)
        case b"w":
            subject.wait(float(rest[0] if rest else 0))
        case b"a" if subject.calls:
            call = subject.calls[-1]
            assert isinstance(call, ReceivedCall)  # nobody calls out here
            call.answer()
            subject.wait(0.0)
        case b"h" if subject.calls:
            subject.calls[-1].hang_up()
            subject.wait(0.0)
        case _:
            pass
