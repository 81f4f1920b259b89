"""Every error that softagent raises on purpose, and the exit code that each one means.

    SoftagentError                 1
    ├── UnknownAccount            64   the command line names an account that the file lacks
    ├── UnknownMessage            64   the command line names a message that isn't kept
    ├── ConfigSyntaxError         65   accounts.toml is not TOML
    ├── ConfigFileMissing         66   there is no accounts.toml there
    ├── CaptureUnreadable         65   a file is no capture of packets
    ├── CaptureMissing            66   there is no such capture
    ├── NotRunning                67   no supervisor runs here
    ├── RegistrarUnreachable      68   nothing answers at the registrar's address
    ├── ModelMissing              69   a model file is not here
    ├── EngineFailed              70   an engine could not be loaded or died
    ├── PortInUse                 71   a local port is taken, or the local address isn't up
    ├── AlreadyRunning            72   another supervisor has the state folder
    ├── DiskFull                  73   not enough room for a download or a recording
    ├── ChecksumMismatch          74   a model file is not what the catalogue says
    ├── RegistrationLost          75   the signalling has stopped (the supervisor tries again)
    ├── CredentialsRefused        77   the PBX refuses user name or password
    └── ConfigError               78   accounts.toml has mistakes (all of them listed)

The numbers follow sysexits.h where it has a fitting one. A message says what,
which one, and what to do, and fits on one line unless it lists several problems.
"""

from __future__ import annotations

from collections.abc import Sequence


class SoftagentError(Exception):
    """Root of the tree: shown to the user as one message, without a traceback."""

    exit_code = 1


class UnknownAccount(SoftagentError):
    """The command line names an account that is not in the file."""

    exit_code = 64


class UnknownMessage(SoftagentError):
    """There is no such message of a caller's."""

    exit_code = 64


class ConfigSyntaxError(SoftagentError):
    """The accounts file is not valid TOML."""

    exit_code = 65


class ConfigFileMissing(SoftagentError):
    """The accounts file does not exist or can't be read."""

    exit_code = 66


class CaptureUnreadable(SoftagentError):
    """A file is not a capture, or nothing in it can be read."""

    exit_code = 65


class CaptureMissing(SoftagentError):
    """There is no capture of that name or call, or it can't be opened."""

    exit_code = 66


class NotRunning(SoftagentError):
    """No supervisor answers on this machine."""

    exit_code = 67


class RegistrarUnreachable(SoftagentError):
    """Nothing answered at the registrar's address."""

    exit_code = 68


class ModelMissing(SoftagentError):
    """A model is not in the store and not at the path given."""

    exit_code = 69


class EngineFailed(SoftagentError):
    """An engine could not be loaded, or broke in a way that needs a new process."""

    exit_code = 70


class PortInUse(SoftagentError):
    """A local port is taken by another program, or the local address isn't up: both may pass."""

    exit_code = 71


class AlreadyRunning(SoftagentError):
    """Another supervisor runs with the same state folder."""

    exit_code = 72


class DiskFull(SoftagentError):
    """There is not enough room on the disk."""

    exit_code = 73


class ChecksumMismatch(SoftagentError):
    """A model file's sha256 is not the one in the catalogue."""

    exit_code = 74


class RegistrationLost(SoftagentError):
    """Calls can't come any more; a new process may do better."""

    exit_code = 75


class CredentialsRefused(SoftagentError):
    """The PBX refused the user name or the password."""

    exit_code = 77


class ConfigError(SoftagentError):
    """The accounts file has one or more mistakes; all of them are listed."""

    exit_code = 78

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
