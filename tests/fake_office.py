"""A supervisor with fake workers, to run as a process of its own.

    python fake_office.py TARGET POLICY ACCOUNT...

TARGET is a function of this module, POLICY a JSON object with fields of RestartPolicy. The
log goes to standard error, a line for each change.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from multiprocessing.connection import Connection

from softagent.config import Account, Secret
from softagent.control import ControlSocket, state_folder
from softagent.heartbeat import Beat, Ready
from softagent.life import RestartPolicy
from softagent.log import setup_logging
from softagent.report import CallEnded, CallStarted, MessagesWaiting, RegistrationChanged
from softagent.supervisor import Supervisor


def account(name: str, *, enabled: bool = True) -> Account:
    return Account(
        name=name, registrar="127.0.0.1", username=name, password=Secret("x"), enabled=enabled
    )


def beating(_account: Account, parent: Connection) -> int:
    """A good worker: beats, and ends on SIGTERM as well as with its supervisor."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    return _beat_until_orphaned(parent)


def talking(_account: Account, parent: Connection) -> int:
    """Registered at a backup, with one call over and one on the line."""
    name = _account.name
    parent.send(
        RegistrationChanged(name, "failed", "no answer from 192.0.2.1:5060", "192.0.2.1:5060")
    )
    parent.send(RegistrationChanged(name, "registered", "200 OK", "192.0.2.2:5060", 120, 8.0))
    parent.send(CallStarted(name, "call-1", "1003"))
    parent.send(CallEnded(name, "call-1", "caller-hung-up", 1.0, 0, 0))
    parent.send(CallStarted(name, "call-2", "1004"))
    parent.send(MessagesWaiting(name, 2, "email:ann@office.example: no answer"))
    return beating(_account, parent)


def deaf(_account: Account, parent: Connection) -> int:
    """Beats, and ignores SIGTERM: only the end of the pipe tells it that the supervisor is dead."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return _beat_until_orphaned(parent)


def stuck(_account: Account, parent: Connection) -> int:
    """Gets ready, and then hears and does nothing any more."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.send(Ready())
    while True:
        signal.pause()


def loading(_account: Account, _parent: Connection) -> int:
    """Never gets ready, and reads neither signals nor pipe."""
    sys.stderr.write(f"loading ctrl_c={signal.Handlers(signal.getsignal(signal.SIGINT)).name}\n")
    while True:
        signal.pause()


def misconfigured(_account: Account, _parent: Connection) -> int:
    """Finds a mistake in its settings."""
    return 78


def half_misconfigured(account: Account, parent: Connection) -> int:
    """The account "broken" has a mistake in its settings, others are good."""
    return 78 if account.name == "broken" else beating(account, parent)


def _beat_until_orphaned(parent: Connection) -> int:
    parent.send(Ready())
    while not parent.poll(0.05):
        parent.send(Beat())
    return 0


def main() -> int:
    setup_logging("INFO")
    target, policy, *names = sys.argv[1:]
    supervisor = Supervisor(
        [account(name) for name in names],
        target=globals()[target],
        policy=RestartPolicy(**json.loads(policy)),
    )
    if "SOFTAGENT_STATE" not in os.environ:
        return supervisor.run()
    with ControlSocket(state_folder(), supervisor.answer) as control:
        return supervisor.run(control)


if __name__ == "__main__":
    sys.exit(main())
