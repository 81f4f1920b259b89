"""What is kept of messages on the disk: all or nothing, for its owner only, and never removed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import stat
from pathlib import Path

import pytest
from messages_fakes import entry, message

from softagent.message_settings import MessageSettings
from softagent.messages.outbox import Outbox, outbox_of, usual_directory

SMALL_BYTES = 1024


def test_what_is_stored_is_loaded_by_anybody_who_comes_later(tmp_path: Path) -> None:
    Outbox(tmp_path / "a" / "b").store(entry("m-1", "email"))
    assert Outbox(tmp_path / "a" / "b").load("m-1") == entry("m-1", "email")
    assert Outbox(tmp_path / "a" / "b").entries() == [entry("m-1", "email")]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Whatever the umask says."""
    wav = tmp_path / "call.wav"
    wav.write_bytes(b"RIFF")
    before = os.umask(0)
    try:
        outbox = Outbox(tmp_path / "kept")
        outbox.store(entry())
        outbox.attach("m-1", wav)
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in outbox.folder.iterdir()}
    assert modes == {"m-1.json": 0o600, "m-1.wav": 0o600}
    assert stat.S_IMODE(outbox.folder.stat().st_mode) == 0o700


def test_the_folder_is_synced_after_the_file_s_name_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, name, folder: a power cut at any moment leaves the old content or the new."""
    (tmp_path / "kept").mkdir()
    happened: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        happened.append("folder synced" if is_folder else "file synced")
        sync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        happened.append("renamed")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    Outbox(tmp_path / "kept").store(entry())
    assert happened == ["file synced", "renamed", "folder synced"]


def store_with_little_room(folder: Path, text: str) -> None:
    """In a process of its own, since the limit is the process's: exits with what the disk said."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, SMALL_BYTES))
    try:
        Outbox(folder).store(
            entry_with(text),
        )
    except OSError as error:
        os._exit(error.errno or 1)
    os._exit(0)


def entry_with(reason: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(entry(), message=message(reason=reason))


def test_a_disk_without_room_leaves_what_was_there(tmp_path: Path) -> None:
    """And no part of what wasn't."""
    outbox = Outbox(tmp_path)
    outbox.store(entry())
    process = multiprocessing.get_context("fork").Process(
        target=store_with_little_room, args=(tmp_path, "a lost key " * SMALL_BYTES)
    )
    process.start()
    process.join()
    assert process.exitcode == errno.EFBIG
    assert outbox.entries() == [entry()]
    assert [file.name for file in tmp_path.iterdir()] == ["m-1.json"]


def test_a_folder_that_can_not_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        Outbox(tmp_path / "file" / "kept").store(entry())


def test_a_torn_file_hides_no_other_and_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(tmp_path)
    outbox.store(entry("m-1"))
    outbox.store(entry("m-3"))
    (tmp_path / "m-2.json").write_bytes(entry("m-2").serialize()[:50])
    for _ in range(2):
        assert [known.message.id for known in outbox.entries()] == ["m-1", "m-3"]
    assert caplog.text.count("event=message-unreadable") == 1
    assert (tmp_path / "m-2.json").exists()


def test_what_a_killed_process_was_writing_is_no_message_and_goes_away(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.store(entry())
    torn, recent = tmp_path / ".m-2.json-0a1b2c3d.part", tmp_path / ".m-3.json-0a1b2c3d.part"
    for part in (torn, recent):
        part.write_bytes(b'{"version": 1, "id"')
    os.utime(torn, (1000.0, 1000.0))
    assert outbox.entries() == [entry()]
    outbox.remove_leftovers(2000.0)
    assert not torn.exists()
    assert recent.exists()
    assert outbox.entries() == [entry()]


@pytest.mark.parametrize("name", ["../m-1", "", "a/b", "m\n1", "."])
def test_an_id_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        Outbox(tmp_path).load(name)


def hold(folder: Path, ready, go_on) -> None:  # type: ignore[no-untyped-def]
    with Outbox(folder).lock() as is_ours:
        ready.put(is_ours)
        go_on.get()


def test_one_process_delivers_and_lets_go_when_it_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready, go_on = context.Queue(), context.Queue()
    process = context.Process(target=hold, args=(tmp_path, ready, go_on))
    process.start()
    assert ready.get()
    with Outbox(tmp_path).lock() as is_ours:
        assert not is_ours
    process.kill()
    process.join()
    with Outbox(tmp_path).lock() as is_ours:
        assert is_ours


def test_asking_again_is_heard_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.store(entry())
    outbox.ask_again("m-1")
    assert outbox.asked_again() == ["m-1"]
    assert outbox.asked_again() == []


def test_each_account_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = MessageSettings(directory=tmp_path)
    assert outbox_of("reception", given).folder == tmp_path / "reception"
    monkeypatch.setenv("SOFTAGENT_STATE", str(tmp_path / "state"))
    assert usual_directory() == tmp_path / "state" / "messages"
    monkeypatch.delenv("SOFTAGENT_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "x"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/0")
    assert usual_directory() == tmp_path / "x" / "softagent" / "messages"


def test_what_root_writes_belongs_to_whose_folder_it_is(tmp_path: Path) -> None:
    """`sudo softagent messages retry` must not take messages away from the worker."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
    outbox = Outbox(tmp_path)
    outbox.store(entry())
    with outbox.lock() as is_ours:
        assert is_ours
    owner = tmp_path.stat().st_uid
    assert {file.name: file.stat().st_uid for file in tmp_path.iterdir()} == {
        "m-1.json": owner,
        ".lock": owner,
    }
