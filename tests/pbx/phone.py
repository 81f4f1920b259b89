r"""A headless telephone for one call: pjsua2 in a process of its own, so that its crashes can't hurt.

    python phone.py --pbx 127.0.0.1:5060 --user 1001 --password secret --codecs PCMA \
        --dial 100 --record heard.wav

Without --dial it registers and waits for a call, which it lets ring. Standard input takes
one command a line: `play FILE` (a WAV, heard by the other side), `digits 42` (RFC 4733),
`info-digits 42`, `hold`, `resume`, `update`, `codec PCMA` (a re-INVITE that offers this one
alone), `transfer NUMBER`, `answer STATUS` and `hang-up`. Standard output tells what happens,
one JSON object a line: {"event": ..., "seconds": ...}, where the seconds are the position in
the recording (0 before it began). The last event is "closed".
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
TRANSPORTS = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "udp6": pj.PJSIP_TRANSPORT_UDP6,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
ACTIVE = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)


def tell(event: str, **details: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
    sys.stdout.flush()


def offer_only(phone: pj.Endpoint, codecs: str) -> None:
    """Offer the codecs named in `codecs`, first one first, and no others."""
    wanted = codecs.split(",")
    for known in phone.codecEnum2():
        name = known.codecId.partition("/")[0]
        phone.codecSetPriority(known.codecId, 255 - wanted.index(name) if name in wanted else 0)


class Call(pj.Call):
    """The one call: what arrives is recorded, what is played goes out."""

    def __init__(self, account: Account, record: str, call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.is_over = False
        self._account = account
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
        status, direction = info.media[0].status, info.media[0].dir
        if status not in ACTIVE:
            self._heard_at = None
            self.tell("no-media", status=status)
            return
        sound = self.getAudioMedia(-1)
        if self._recorder is None:
            self._recorder = pj.AudioMediaRecorder()
            self._recorder.createRecorder(self._record)
            self._recording_since = time.monotonic()
        sound.startTransmit(self._recorder)
        for player in self._players:  # a re-INVITE makes a new stream
            player.startTransmit(sound)
        stream = self.getStreamInfo(0)
        self.tell("media", codec=stream.codecName, remote=stream.remoteRtpAddress, dir=direction)

    def onDtmfDigit(self, digit: pj.OnDtmfDigitParam) -> None:  # noqa: N802
        self.tell("digit", digit=digit.digit)

    def onCallTransferStatus(self, status: pj.OnCallTransferStatusParam) -> None:  # noqa: N802
        status.cont = True
        self.tell("transfer-status", status=status.statusCode, is_final=status.finalNotify)

    def listen(self) -> None:
        """Tell when the other side begins to be heard, and when it has fallen silent."""
        if self._recorder is None or self.is_over:
            return
        info = self.getInfo()
        if info.media[0].status not in ACTIVE:
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
                self._play(path)
            case ["digits", digits]:
                self.dialDtmf(digits)
            case ["info-digits", digits]:
                self._send_info(digits)
            case ["hold"]:
                self.setHold(pj.CallOpParam(True))
            case ["resume"]:
                unhold = pj.CallOpParam(True)
                unhold.opt.flag = pj.PJSUA_CALL_UNHOLD
                self.reinvite(unhold)
            case ["codec", codec]:
                offer_only(self._account.phone, codec)
                self.reinvite(pj.CallOpParam(True))
            case ["update"]:
                self.update(pj.CallOpParam(True))
            case ["transfer", number]:
                self.xfer(self._account.uri(number), pj.CallOpParam(True))
            case ["answer", status]:
                answer = pj.CallOpParam(True)
                answer.statusCode = int(status)
                self.answer(answer)
            case ["hang-up"]:
                self.hangup(pj.CallOpParam())
            case _:
                raise ValueError(f"no such command: {command!r}")
        self.tell("did", command=command)

    def _play(self, path: str) -> None:
        player = pj.AudioMediaPlayer()
        player.createPlayer(path, pj.PJMEDIA_FILE_NO_LOOP)
        player.startTransmit(self.getAudioMedia(-1))
        self._players.append(player)  # it plays for as long as it exists

    def _send_info(self, digits: str) -> None:
        sending = pj.CallSendDtmfParam()
        sending.method, sending.digits, sending.duration = (
            pj.PJSUA_DTMF_METHOD_SIP_INFO,
            digits,
            160,
        )
        self.sendDtmf(sending)

    def close(self) -> None:
        """Let go of the media, which must not outlive the endpoint."""
        self._recorder = None
        self._players.clear()


class Account(pj.Account):
    """The extension. It registers only to be called: a caller needs no more than its password."""

    def __init__(self, phone: pj.Endpoint, wanted: argparse.Namespace) -> None:
        super().__init__()
        self.phone = phone
        self.call: Call | None = None
        self._wanted = wanted

    def uri(self, number: str) -> str:
        suffix = "" if self._wanted.transport == "udp" else f";transport={self._wanted.transport}"
        return f"sip:{number}@{self._wanted.pbx}{suffix.removesuffix('6')}"

    def open(self) -> None:
        wanted = self._wanted
        config = pj.AccountConfig()
        config.idUri = f"sip:{wanted.user}@{wanted.pbx.rpartition(':')[0]}"
        if not wanted.dial:
            config.regConfig.registrarUri = self.uri("").replace("@", "")
        config.sipConfig.transportId = self._transport()
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", wanted.user, 0, wanted.password)
        )
        config.mediaConfig.transportConfig.boundAddress = wanted.bind
        config.mediaConfig.srtpUse = wanted.srtp
        config.mediaConfig.srtpSecureSignaling = 0
        if wanted.transport == "udp6":
            config.mediaConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED
        if wanted.timer:
            config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_ALWAYS
            config.callConfig.timerSessExpiresSec = wanted.timer
        self.create(config)

    def _transport(self) -> int:
        transport = pj.TransportConfig()
        transport.boundAddress = self._wanted.bind
        transport.tlsConfig.verifyServer = False
        return int(self.phone.transportCreate(TRANSPORTS[self._wanted.transport], transport))

    def onRegState(self, state: pj.OnRegStateParam) -> None:  # noqa: N802
        tell("registered" if state.code == 200 else "unregistered", status=state.code)

    def onIncomingCall(self, incoming: pj.OnIncomingCallParam) -> None:  # noqa: N802
        if self.call is not None:
            refused, busy = pj.Call(self, incoming.callId), pj.CallOpParam(True)
            busy.statusCode = 486
            refused.answer(busy)
            return
        self.call = Call(self, self._wanted.record, incoming.callId)
        ringing = pj.CallOpParam(True)
        ringing.statusCode = 180
        self.call.answer(ringing)
        self.call.tell("ringing", caller=self.call.getInfo().remoteUri)


def endpoint(wanted: argparse.Namespace) -> pj.Endpoint:
    """pjsua2 without threads of its own, without a sound card, offering only the codecs wanted."""
    phone = pj.Endpoint()
    phone.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.medConfig.clockRate = config.medConfig.sndClockRate = wanted.rate
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    phone.libInit(config)
    phone.audDevManager().setNullDev()
    offer_only(phone, wanted.codecs)
    return phone


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("pbx", "user", "password", "codecs", "record"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--dial", default="")
    parser.add_argument("--transport", choices=TRANSPORTS, default="udp")
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--srtp", type=int, default=0, help="0 off, 1 optional, 2 mandatory")
    parser.add_argument("--rate", type=int, default=RATE_HZ, help="of what is recorded")
    parser.add_argument("--timer", type=int, default=0, help="seconds of a session interval")
    return parser.parse_args()


def main() -> None:
    wanted = arguments()
    phone = endpoint(wanted)
    account = Account(phone, wanted)
    account.open()
    phone.libStart()
    if wanted.dial:
        account.call = Call(account, wanted.record)
        account.call.makeCall(account.uri(wanted.dial), pj.CallOpParam(True))
    while account.call is None or not account.call.is_over:
        phone.libHandleEvents(10)
        if account.call is not None:
            account.call.listen()
        if select.select([sys.stdin], [], [], 0)[0]:
            command = sys.stdin.readline().strip() or "hang-up"
            if account.call is None:
                break
            account.call.obey(command)
    if account.call is not None:
        account.call.close()
        account.call = None
    del account
    phone.libDestroy()  # only now is the recording whole
    tell("closed")
    os._exit(0)  # pjsua2's destructors crash now and then


if __name__ == "__main__":
    main()
