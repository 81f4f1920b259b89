"""What the tests' Asterisk is told: its telephones, what they can dial, its transports and modules."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from certificates import Certificates

AGENT = "1000"
"""The extension that `softagent worker` answers."""
CALLER = "1001"
"""The scripted caller's."""
SUPERVISED = "1002"
"""The extension that a worker under `softagent run` answers."""
AGENT_PCMA = "1000a"
"""The agent's telephone, as the PBX calls it with PCMA only."""
COLLEAGUE = "1003"
"""Somebody to transfer to, or to be called by a second telephone."""
CALLER_DIRECT = "1004"
"""A caller whose media the PBX doesn't carry if it need not."""
CALLER_WIDE = "1005"
"""A caller with G.722."""
CALLER_SECURE = "1006"
"""A caller with SRTP."""

PLAIN = "2000"
SECURE = "2001"
"""SRTP with SDES keys."""
WIDE = "2002"
"""G.722 first."""
TIMED = "2003"
"""Session timers of 90 s, always."""
A_LAW = "2004"
"""PCMA only."""
INFO_DIGITS = "2005"
"""Digits by INFO."""
SHORT = "2006"
"""Registrations of 20 s at most."""
DIRECT = "2007"
"""Media between the telephones."""
HELD = "2008"
"""Hold is passed on as a re-INVITE instead of the PBX playing its music."""
RELIABLE = "2009"
"""Provisional responses acknowledged with PRACK."""
SIX = "2010"
"""Media over IPv6."""

AGENT_WITH_PCMU = "100"
AGENT_WITH_PCMA = "101"
SUPERVISED_AGENT = "102"
ECHO = "600"
PROMPT = "601"
"""A recorded sentence, then silence."""
FOUR_DIGITS = "604"
"""Reads four digits and writes `digits=1234` into the log."""
HOLD_MUSIC = "605"
BUSY = "701"
RINGS_ON = "702"
REFUSED = "703"
NO_ROUTE = "704"
NOWHERE = "799"
"""Not in the dialplan."""

MODULES = """
    res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_crypto
    res_musiconhold res_rtp_asterisk res_srtp bridge_simple bridge_native_rtp bridge_softmix
    bridge_builtin_features codec_ulaw codec_alaw codec_g722 codec_resample format_wav format_pcm
    res_pjproject res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_pjsip_nat
    res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest
    res_pjsip_endpoint_identifier_user res_pjsip_registrar res_pjsip_path
    res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_pubsub res_pjsip_refer res_pjsip_notify
    res_pjsip_dtmf_info res_pjsip_dlg_options res_pjsip_empty_info res_pjsip_messaging
    res_pjsip_logger chan_pjsip res_clioriginate
    pbx_config app_dial app_echo app_playback app_read app_verbose app_senddtmf func_channel
"""


@dataclass(frozen=True, slots=True)
class Telephone:
    """What sets an extension apart from the plain one: lines of its endpoint and of its contacts."""

    endpoint: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()


TELEPHONES = {
    AGENT: Telephone(),
    CALLER: Telephone(),
    SUPERVISED: Telephone(),
    COLLEAGUE: Telephone(),
    CALLER_DIRECT: Telephone(("direct_media=yes",)),
    CALLER_WIDE: Telephone(("disallow=all", "allow=g722,ulaw")),
    CALLER_SECURE: Telephone(("media_encryption=sdes",)),
    PLAIN: Telephone(),
    SECURE: Telephone(("media_encryption=sdes",)),
    WIDE: Telephone(("disallow=all", "allow=g722,ulaw")),
    TIMED: Telephone(("timers=always", "timers_min_se=90", "timers_sess_expires=90")),
    A_LAW: Telephone(("disallow=all", "allow=alaw")),
    INFO_DIGITS: Telephone(("dtmf_mode=info",)),
    SHORT: Telephone(contacts=("maximum_expiration=20", "default_expiration=20")),
    DIRECT: Telephone(("direct_media=yes",)),
    HELD: Telephone(("moh_passthrough=yes",)),
    RELIABLE: Telephone(("100rel=required",)),
    SIX: Telephone(("rtp_ipv6=yes",)),
}

TRANSPORTS = """
[udp]
type=transport
protocol=udp
bind={host}:{sip_port}

[tcp]
type=transport
protocol=tcp
bind={host}:{sip_port}
"""

LOOPBACK_TRANSPORTS = """
[tls]
type=transport
protocol=tls
bind=127.0.0.1:{tls_port}
cert_file={certificate}
priv_key_file={key}
method=tlsv1_2

[udp6]
type=transport
protocol=udp
bind=[::1]:{sip_port}
"""

ENDPOINT = """
[{name}]
type=endpoint
context=office
callerid="Extension {name}" <{name}>
disallow=all
allow={codecs}
direct_media=no
rtp_symmetric=yes
rewrite_contact=yes
auth={extension}
aors={extension}
"""

EXTENSION = """
[{extension}]
type=auth
auth_type=userpass
username={extension}
password={password}

[{extension}]
type=aor
max_contacts=1
remove_existing=yes
minimum_expiration=5
qualify_frequency=1
"""

DIALPLAN = f"""
[office]
exten => {AGENT_WITH_PCMU},1,Dial(PJSIP/{AGENT},20)
exten => {AGENT_WITH_PCMA},1,Dial(PJSIP/{AGENT_PCMA},20)
exten => {SUPERVISED_AGENT},1,Dial(PJSIP/{SUPERVISED},20)
exten => _[12]0XX,1,Dial(PJSIP/${{EXTEN}},20)
exten => _*[12]0XX,1,Dial(PJSIP/${{EXTEN:1}},20,tT)
exten => {ECHO},1,Answer()
 same => n,Echo()
exten => {PROMPT},1,Answer()
 same => n,Playback(demo-congrats)
 same => n,Wait(60)
exten => {FOUR_DIGITS},1,Answer()
 same => n,Read(DIGITS,,4,,1,20)
 same => n,Verbose(0,digits=${{DIGITS}})
 same => n,Wait(60)
exten => {HOLD_MUSIC},1,Answer()
 same => n,MusicOnHold()
exten => {BUSY},1,Busy(5)
exten => {RINGS_ON},1,Ringing()
 same => n,Wait(60)
exten => {REFUSED},1,Hangup(21)
exten => {NO_ROUTE},1,Congestion(5)
"""

MUSIC_RATE_HZ = 8000
MUSIC_SECONDS = 12


def password(extension: str) -> str:
    """The password that an extension registers and calls with."""
    return f"secret{extension}"


def telephones() -> str:
    """pjsip.conf without its transports."""
    sections = []
    for extension, telephone in TELEPHONES.items():
        sections += [
            ENDPOINT.format(name=extension, extension=extension, codecs="ulaw,alaw"),
            *(f"{line}\n" for line in telephone.endpoint),
            EXTENSION.format(extension=extension, password=password(extension)),
            *(f"{line}\n" for line in telephone.contacts),
        ]
    sections.append(ENDPOINT.format(name=AGENT_PCMA, extension=AGENT, codecs="alaw"))
    return "".join(sections)


def transports(host: str, sip_port: int, tls_port: int, certificates: Certificates | None) -> str:
    """The transports of pjsip.conf: UDP and TCP on `host`; TLS and IPv6 on loopback with `certificates`."""
    plain = TRANSPORTS.format(host=host, sip_port=sip_port)
    if certificates is None:
        return plain
    return plain + LOOPBACK_TRANSPORTS.format(
        sip_port=sip_port,
        tls_port=tls_port,
        certificate=certificates.certificate,
        key=certificates.key,
    )


def files(folder: Path, root: Path, *, pjsip: str, rtp_ports: range) -> dict[str, str]:
    """The configuration of an Asterisk that is unpacked in `root` and lives in `folder`: name -> text."""
    modules = next(root.glob("usr/lib/**/asterisk/modules"))
    required = (f"require = {name}.so" for name in MODULES.split())
    return {
        "asterisk.conf": f"""
[directories]
astetcdir => {folder}/etc
astmoddir => {modules}
astdatadir => {root}/usr/share/asterisk
astvarlibdir => {folder}/var
astdbdir => {folder}/var
astkeydir => {folder}/var
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
[options]
verbose = 3
documentation_language = en_US
""",
        "modules.conf": "\n".join(["[modules]", "autoload=no", *required]),
        "logger.conf": "[logfiles]\nfull => notice,warning,error,verbose,dtmf\n",
        "rtp.conf": f"[general]\nrtpstart={rtp_ports.start}\nrtpend={rtp_ports.stop - 1}\n",
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={folder}/moh\n",
        "pjsip.conf": pjsip,
        "pjsip_notify.conf": "[news]\nEvent=>message-summary\nContent-type=>application/simple-message-summary\nContent=>Messages-Waiting: yes\n",
        "extensions.conf": DIALPLAN,
    }


def write_music(path: Path) -> None:
    """Hold music: a melody of sine tones that is unlike any speech, loud enough to be told from silence."""
    tones = np.random.default_rng(3).choice((392, 440, 494, 523, 587, 659), size=MUSIC_SECONDS * 4)
    seconds = np.arange(MUSIC_RATE_HZ // 4) / MUSIC_RATE_HZ
    melody = np.concatenate([np.sin(2 * np.pi * tone * seconds) for tone in tones])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, MUSIC_RATE_HZ, 0, "NONE", ""))
        file.writeframes((8000 * melody).astype("<i2").tobytes())
