r"""A headless telephone that makes one call: pjsua2 in a process of its own, so that its crashes can't hurt.

    python phone.py --pbx 127.0.0.1:5060 --user 1001 --password secret --codec PCMA \
        --dial 100 --record heard.wav

Standard input takes one command a line: `play FILE` (a WAV, heard by the other side),
`digits 42` (RFC 4733) and `hang-up`. Standard output tells what happens, one JSON object a
line: {"event": ..., "seconds": ...}, where the seconds are the position in the recording
(0 before it began). The last event is "closed".
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time

import pjsua2 as pj

RATE_HZ = 8000
AUDIBLE_LEVEL = 5
"""On pjmedia's meter, where speech is at 10 to 40 and G.711's silence at 0."""
QUIET_SECONDS = 1.0
"""A pause in what is heard that is no longer a pause between two sentences."""


def tell(event: str, **details: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
    sys.stdout.flush()


class Call(pj.Call):
    """The one call: what arrives is recorded, what is played goes out."""

    def __init__(self, account: pj.Account, record: str) -> None:
        super().__init__(account)
        self.is_over = False
        self._record = record
        self._recorder: pj.AudioMediaRecorder | None = None
        self._players: list[pj.AudioMediaPlayer] = []
        self._recording_since = 0.0
        self._heard_at: float | None = None

    def tell(self, event: str, **details: object) -> None:
        since = self._recording_since
        tell(event, seconds=round(time.monotonic() - since, 3) if since else 0.0, **details)

    def onCallState(self, _: pj.OnCallStateParam) -> None:  # noqa: N802
        info = self.getInfo()
        self.is_over = info.state == pj.PJSIP_INV_STATE_DISCONNECTED
        self.tell(info.stateText.lower(), status=info.lastStatusCode)

    def onCallMediaState(self, _: pj.OnCallMediaStateParam) -> None:  # noqa: N802
        info = self.getInfo()  # its parts live no longer than it does
        if self._recorder is not None or info.media[0].status != pj.PJSUA_CALL_MEDIA_ACTIVE:
            return
        self._recorder = pj.AudioMediaRecorder()
        self._recorder.createRecorder(self._record)
        self.getAudioMedia(-1).startTransmit(self._recorder)
        self._recording_since = time.monotonic()
        self.tell("media", codec=self.getStreamInfo(0).codecName)

    def listen(self) -> None:
        """Tell when the other side begins to be heard, and when it has fallen silent."""
        if self._recorder is None or self.is_over:
            return
        now = time.monotonic()
        # "Tx" because pjsua2 looks at a call from its bridge, into which the call transmits.
        if self.getAudioMedia(-1).getTxLevel() >= AUDIBLE_LEVEL:
            if self._heard_at is None:
                self.tell("sound")
            self._heard_at = now
        elif self._heard_at is not None and now - self._heard_at > QUIET_SECONDS:
            self._heard_at = None
            self.tell("quiet")

    def obey(self, command: str) -> None:
        match command.split(maxsplit=1):
            case ["play", path]:
                player = pj.AudioMediaPlayer()
                player.createPlayer(path, pj.PJMEDIA_FILE_NO_LOOP)
                player.startTransmit(self.getAudioMedia(-1))
                self._players.append(player)  # it plays for as long as it exists
            case ["digits", digits]:
                self.dialDtmf(digits)
            case ["hang-up"]:
                self.hangup(pj.CallOpParam())
            case _:
                raise ValueError(f"no such command: {command!r}")
        self.tell("did", command=command)

    def close(self) -> None:
        """Let go of the media, which must not outlive the endpoint."""
        self._recorder = None
        self._players.clear()


def endpoint(codec: str) -> pj.Endpoint:
    """pjsua2 without threads of its own, without a sound card, offering only `codec`."""
    phone = pj.Endpoint()
    phone.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.clockRate = config.medConfig.sndClockRate = RATE_HZ
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    phone.libInit(config)
    phone.audDevManager().setNullDev()
    for known in phone.codecEnum2():
        phone.codecSetPriority(known.codecId, 255 if known.codecId.startswith(codec) else 0)
    return phone


def account(phone: pj.Endpoint, pbx: str, user: str, password: str) -> pj.Account:
    """The caller's extension, which does not register: it only calls."""
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    config = pj.AccountConfig()
    config.idUri = f"sip:{user}@{pbx.split(':')[0]}"
    config.sipConfig.transportId = phone.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    phone.libStart()
    caller = pj.Account()
    caller.create(config)
    return caller


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("pbx", "user", "password", "codec", "dial", "record"):
        parser.add_argument(f"--{name}", required=True)
    wanted = parser.parse_args()
    phone = endpoint(wanted.codec)
    caller = account(phone, wanted.pbx, wanted.user, wanted.password)
    call = Call(caller, wanted.record)
    call.makeCall(f"sip:{wanted.dial}@{wanted.pbx}", pj.CallOpParam(True))
    while not call.is_over:
        phone.libHandleEvents(10)
        call.listen()
        if select.select([sys.stdin], [], [], 0)[0]:
            call.obey(sys.stdin.readline().strip() or "hang-up")
    call.close()
    del call, caller
    phone.libDestroy()  # only now is the recording whole
    tell("closed")
    os._exit(0)  # pjsua2's destructors crash now and then


if __name__ == "__main__":
    main()
