"""A network that goes away and comes back: the PBX in a network namespace, its link pulled out.

telephone -- 198.18.77.1 -- veth -- 198.18.77.2 -- Asterisk in the namespace
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asterisk import Asterisk, launchers, wait_for
from exchange import PLAIN, password
from receptionist import Receptionist
from sounds import SPEECH, load

from softagent.config import LimitSettings
from softagent.sip.phone import CallEnd, RegistrationState

pytestmark = pytest.mark.pbx

CUT_SECONDS = float(os.environ.get("SOFTAGENT_CUT_SECONDS", "30"))
"""How long the link is down: 30 s in the usual run, as long as one likes by the environment."""
NEAR, FAR = "198.18.77.1", "198.18.77.2"
"""Of the range for benchmarks (RFC 2544): no network has them."""
SIP_PORT = 5060
RTP_TIMEOUT_SECONDS = 5
BACK_SECONDS = 10.0


class Link:
    """A cable between this machine and a namespace of its own."""

    def __init__(self) -> None:
        self.namespace = f"softagent-{os.getpid()}"
        self._near, self._far = f"near{os.getpid()}", f"far{os.getpid()}"

    def lay(self) -> None:
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        _ip("link", "set", self._far, "netns", self.namespace)
        _ip("address", "add", f"{NEAR}/30", "dev", self._near)
        _ip("link", "set", self._near, "up")
        inside = ("-n", self.namespace)
        _ip(*inside, "address", "add", f"{FAR}/30", "dev", self._far)
        _ip(*inside, "link", "set", "lo", "up")
        self.plug_in()

    def pull_out(self) -> None:
        """Both ends lose their carrier."""
        _ip("-n", self.namespace, "link", "set", self._far, "down")

    def plug_in(self) -> None:
        _ip("-n", self.namespace, "link", "set", self._far, "up")

    def remove(self) -> None:
        for command in (("link", "delete", self._near), ("netns", "delete", self.namespace)):
            with contextlib.suppress(AssertionError):
                _ip(*command)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)} (as root?): {done.stderr}"


@pytest.fixture
def link() -> Iterator[Link]:
    cable = Link()
    try:
        cable.lay()
        yield cable
    finally:
        cable.remove()


@pytest.fixture
def distant(link: Link, tmp_path: Path) -> Iterator[Asterisk]:
    """An Asterisk at the far end of the link."""
    with Asterisk(
        next(iter(launchers().values())),
        tmp_path / "asterisk",
        host=FAR,
        sip_port=SIP_PORT,
        rtp_ports=range(23600, 23800),
        namespace=link.namespace,
    ) as pbx:
        yield pbx


def test_a_cut_ends_the_call_and_the_link_brings_the_registration_back(
    link: Link, distant: Asterisk
) -> None:
    """The call ends by the RTP timeout, its BYE gets through when it can; registered within 10 s of the link."""
    agent = Receptionist(
        PLAIN,
        password(PLAIN),
        registrar=FAR,
        port=SIP_PORT,
        voice=load(SPEECH / "seven.wav"),
        limits=LimitSettings(rtp_timeout_seconds=RTP_TIMEOUT_SECONDS, silence_seconds=600),
        codecs=("PCMU",),
    )
    with agent:
        agent.wait_registered()
        distant.console(f"channel originate PJSIP/{PLAIN} application MusicOnHold")
        wait_for(lambda: distant.channel_codecs(PLAIN) == ["ulaw"], "the call", seconds=10)
        cut = time.monotonic()
        link.pull_out()
        assert agent.call_end(seconds=3 * RTP_TIMEOUT_SECONDS) is CallEnd.FAR_END_LOST
        assert time.monotonic() - cut < 2 * RTP_TIMEOUT_SECONDS
        agent.wait_registration(RegistrationState.FAILED, since=cut, seconds=CUT_SECONDS)
        time.sleep(max(0.0, cut + CUT_SECONDS - time.monotonic()))
        back = time.monotonic()
        link.plug_in()
        agent.wait_registered(since=back, seconds=BACK_SECONDS)
        wait_for(lambda: distant.is_reachable(PLAIN), f"{PLAIN} being reachable", seconds=10)
        if CUT_SECONDS <= 32:  # a BYE is repeated for 64*T1
            distant.wait_until_idle(seconds=8)
