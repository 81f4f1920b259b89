"""Offer and answer of one call: who has said what, and the media that come of it (RFC 3264, RFC 6337).

their offer -> receive_offer -> media -> answer -> our answer
our offer   <- offer, reoffer                   <- receive_answer <- their answer

Pure: bodies come in and go out; a description that can't be used leaves everything as it was.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from softagent.media.description import Direction, MediaDescription, SrtpKeys
from softagent.media.frame import FRAME_MS
from softagent.sip.agreement import (
    OTHER_PROTOCOL,
    Abilities,
    Agreement,
    agree,
    agree_to_answer,
    narrowed,
)
from softagent.sip.errors import NotAcceptable
from softagent.sip.sdes import SUITES, Crypto, new_key
from softagent.sip.sdp import (
    CLOCK_HZ,
    EVENT,
    NOISE,
    STATIC,
    Description,
    Format,
    Media,
    audio,
    parse,
)

EVENT_TYPE = 101
"""Payload type of telephone-event in our first offer, as everybody has it."""
_TYPES = {name: number for number, name in STATIC.items()}


class Negotiation:
    """Our side of one call's offers and answers. Used under its owner's lock."""

    def __init__(self, abilities: Abilities, *, host: str, source_host: str) -> None:
        """`host` is ours; the signalling comes from `source_host`, where sound may come from too."""
        self.wish = self._new_wish = Direction.SENDRECV
        """What we want: SENDONLY while we hold the other side."""
        self._abilities = abilities
        self._host = host
        self._port = 0
        self._source_host = source_host
        self._media: MediaDescription | None = None
        self._offered: tuple[Description, Agreement] | None = None
        """Their offer, while our answer to it is due."""
        self._offering: Description | None = None
        """Our offer, while their answer to it is due."""
        self._current = Description(())
        """What we have said last and the other side has taken."""
        self._line = 0
        """Which m= line of it is ours."""
        self._their_crypto: Crypto | None = None
        self._our_crypto: Crypto | None = None
        self._session_id = secrets.randbelow(2**31)
        self._version = 0
        self._written = b""

    @property
    def media(self) -> MediaDescription:
        """The media agreed on. Raises LookupError while there are none."""
        if self._media is None:
            raise LookupError("no session description has come yet")
        return self._media

    @property
    def is_offering(self) -> bool:
        """Whether an offer of ours waits for its answer."""
        return self._offering is not None

    @property
    def is_offered(self) -> bool:
        """Whether an offer of theirs waits for our answer."""
        return self._offered is not None

    def open(self, port: int) -> None:
        """Use this local port from now on."""
        self._port = port
        if self._media is not None:
            self._media = replace(self._media, local_port=port)

    def expect(self) -> None:
        """Assume our first codec until the other side says something: its offer is still to come, or its answer.

        There is no port to send to yet.
        """
        codec = self._format(self._abilities.codecs[0])
        self._media = self._describe(codec, None, None, remote=(self._source_host, 0))

    # Theirs

    def receive_offer(self, body: bytes) -> None:
        """Take their offer. Raises DescriptionError, or NotAcceptable when nothing can come of it."""
        offer = parse(body)
        agreed = agree(offer, self._abilities)
        self._offered = offer, agreed
        if self._media is None:
            self._media = self._described(agreed, self._crypto_for(agreed), Direction.SENDRECV)

    def answer(self) -> bytes:
        """Our answer to the offer that is due; every line in its place, all but ours refused (section 6)."""
        assert self._offered is not None, "an answer needs an offer"
        offer, agreed = self._offered
        self._offered = None
        ours = self._crypto_for(agreed)
        self._media = self._described(agreed, ours, self.wish)
        line = audio(
            self._port,
            agreed.protocol,
            agreed.formats,
            direction=self._media.direction,
            ptime_ms=agreed.ptime_ms,
            rtcp_mux=agreed.rtcp_mux,
            cryptos=() if ours is None else (ours,),
        )
        lines = [media.refused for media in offer.media]
        lines[agreed.line] = line
        self._keep(Description(tuple(lines), offer.timing), agreed, ours)
        return self._write(self._current)

    # Ours

    def offer(self) -> bytes:
        """All that we can do, running media first to last as they are (RFC 3261 section 14.2)."""
        names = [
            *self._abilities.codecs,
            *((NOISE,) if self._noise_type is not None else ()),
            EVENT,
        ]
        line = audio(
            self._port,
            self._protocol,
            tuple(map(self._format, names)),
            direction=self.wish,
            ptime_ms=FRAME_MS if self._media is None else self._media.ptime_ms,
            cryptos=self._cryptos(),
        )
        return self._offer_line(line)

    def reoffer(self, wish: Direction) -> bytes:
        """What runs now and nothing else, in another direction: SENDONLY to hold, SENDRECV to resume.

        It becomes our `wish` once the other side has answered.
        """
        self._new_wish = wish
        return self._offer_line(replace(self._current.media[self._line], direction=wish))

    def repeat(self) -> bytes:
        """What we have said last, unchanged: to refresh the session (RFC 4028 section 7.4)."""
        return self._offer_line(self._current.media[self._line])

    def receive_answer(self, body: bytes) -> None:
        """Take their answer to our offer. Raises DescriptionError or NotAcceptable; then nothing has changed."""
        offering = self._offering
        assert offering is not None, "an answer needs an offer"
        self._offering = None
        answer = parse(body)
        line = next((n for n, media in enumerate(offering.media) if media.port), 0)
        offered = offering.media[line]
        agreed = agree_to_answer(answer, offered, line, self._abilities)
        ours = _answered(offered.cryptos, agreed)
        self.wish = self._new_wish
        self._media = self._described(agreed, ours, offered.direction)
        lines = list(offering.media)
        lines[line] = _narrowed(offered, agreed, ours)
        self._keep(Description(tuple(lines)), agreed, ours)

    def withdraw(self) -> None:
        """Our offer has been refused: all is as before it."""
        self._offering = None
        self._new_wish = self.wish

    def _offer_line(self, line: Media) -> bytes:
        lines = list(self._current.media) or [line]
        lines[self._line] = line
        self._offering = Description(tuple(lines))
        return self._write(self._offering)

    def _keep(self, said: Description, agreed: Agreement, ours: Crypto | None) -> None:
        self._current, self._line = said, agreed.line
        self._their_crypto, self._our_crypto = agreed.crypto, ours

    def _described(
        self, agreed: Agreement, ours: Crypto | None, wish: Direction
    ) -> MediaDescription:
        keys = None
        if agreed.crypto is not None and ours is not None:
            keys = SrtpKeys(ours.suite, send=ours.key, receive=agreed.crypto.key)
        host = agreed.host or (self._media.remote_host if self._media else self._source_host)
        media = self._describe(agreed.codec, agreed.event, agreed.noise, remote=(host, agreed.port))
        return replace(
            media,
            ptime_ms=agreed.ptime_ms,
            direction=narrowed(agreed.direction, wish),
            srtp=keys,
            rtcp_mux=agreed.rtcp_mux,
            remote_rtcp_port=agreed.rtcp_port,
        )

    def _describe(
        self,
        codec: Format,
        event: Format | None,
        noise: Format | None,
        *,
        remote: tuple[str, int],
    ) -> MediaDescription:
        return MediaDescription(
            codec=codec.name,
            payload_type=codec.payload_type,
            remote_host=remote[0],
            remote_port=remote[1],
            local_host=self._host,
            local_port=self._port,
            event_payload_type=None if event is None else event.payload_type,
            noise_payload_type=None if noise is None else noise.payload_type,
            trusted_hosts=frozenset((self._source_host,)),
        )

    def _crypto_for(self, agreed: Agreement) -> Crypto | None:
        """Our key towards theirs: the same as long as theirs is, else a fresh one (RFC 4568 section 7.1.2)."""
        theirs = agreed.crypto
        if theirs is None:
            return None
        if theirs != self._their_crypto or self._our_crypto is None:
            self._their_crypto = theirs
            self._our_crypto = Crypto(theirs.tag, theirs.suite, new_key())
        return self._our_crypto

    def _cryptos(self) -> tuple[Crypto, ...]:
        """Keys to offer: the running one first, so that sound goes on unbroken."""
        if self._our_crypto is not None:
            return (self._our_crypto,)
        if self._abilities.srtp == "off":
            return ()
        return tuple(Crypto(tag, suite, new_key()) for tag, suite in enumerate(SUITES, 1))

    @property
    def _protocol(self) -> str:
        if self._current.media:
            return self._current.media[self._line].protocol
        return "RTP/SAVP" if self._abilities.srtp == "required" else "RTP/AVP"

    @property
    def _noise_type(self) -> int | None:
        return None if self._media is None else self._media.noise_payload_type

    def _format(self, name: str) -> Format:
        """A format under the number that it has in this call already (RFC 3264 section 8.3.2)."""
        media = self._media
        if media is not None and name == media.codec:
            return Format(media.payload_type, name, CLOCK_HZ)
        if name == EVENT:
            running = None if media is None else media.event_payload_type
            return Format(EVENT_TYPE if running is None else running, EVENT)
        if name == NOISE and self._noise_type is not None:
            return Format(self._noise_type, NOISE)
        return Format(_TYPES[name], name)

    def _write(self, said: Description) -> bytes:
        """The body; its version counts up when something in it has changed (RFC 3264 section 8)."""

        def write() -> bytes:
            session = f"{self._session_id} {self._version}"
            return said.serialize(host=self._host, session=session)

        body = write()
        if body != self._written:
            self._version += 1
            body = self._written = write()
        return body


def _narrowed(offered: Media, agreed: Agreement, ours: Crypto | None) -> Media:
    """The line as it will be offered again: what was chosen of it, and nothing else."""
    return audio(
        offered.port,
        offered.protocol,
        tuple(known for known in offered.formats if known in agreed.formats),
        direction=offered.direction,
        ptime_ms=agreed.ptime_ms,
        rtcp_mux=agreed.rtcp_mux,
        cryptos=() if ours is None else (ours,),
    )


def _answered(offered: tuple[Crypto, ...], agreed: Agreement) -> Crypto | None:
    """Our key that the answer has chosen. Raises NotAcceptable for one that we haven't offered."""
    theirs = agreed.crypto
    if theirs is None:
        return None
    for ours in offered:
        if (ours.tag, ours.suite) == (theirs.tag, theirs.suite):
            return ours
    raise NotAcceptable(OTHER_PROTOCOL, "A key for none of our keys")
