"""The store: finding, checking and deriving models, and what it says when it can't."""

from __future__ import annotations

import fcntl
import hashlib
import threading
from pathlib import Path

import pytest

from softagent.errors import (
    ChecksumMismatch,
    DiskFull,
    EngineFailed,
    ModelMissing,
    SoftagentError,
)
from softagent.models.catalogue import Catalogue, Derivation, Model, ModelFile, UrlSource
from softagent.models.progress import ModelPulled, PullAwaited, PullEvent
from softagent.models.store import ModelStore, default_directory

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = ModelFile("weights.bin", len(CONTENT), SHA256, (UrlSource("http://127.0.0.1:9/w"),))
TINY = Model("tiny", "llama", "for tests", "MIT", (FILE,), main="weights.bin")
MADE = Model(
    "made", "coqui", "for tests", "MIT", derived=Derivation("tiny", "double", ("out.bin",), 14)
)


def double(source: Path, out: Path) -> None:
    (out / "out.bin").write_bytes(source.read_bytes() * 2)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path, catalogue=Catalogue((TINY, MADE)), recipes={"double": double})


def bring(store: ModelStore, content: bytes = CONTENT) -> Path:
    path = store.directory / "tiny" / "weights.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_environment_chooses_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SOFTAGENT_MODELS", raising=False)
    assert default_directory() == Path("/home/anna/.cache/softagent/models")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/anna")
    assert default_directory() == Path("/var/cache/anna/softagent/models")
    monkeypatch.setenv("SOFTAGENT_MODELS", "~/models")
    assert default_directory() == Path("/home/anna/models")


def test_a_missing_model_is_explained_for_a_machine_without_internet(store: ModelStore) -> None:
    """The message has all that is needed to bring the file by hand."""
    with pytest.raises(ModelMissing) as caught:
        store.path("tiny")
    message = str(caught.value)
    assert 'run "softagent models pull tiny"' in message
    assert f"weights.bin  7 bytes  sha256 {SHA256}" in message
    assert str(store.directory / "tiny") in message


def test_a_file_of_the_wrong_size_is_missing(store: ModelStore) -> None:
    bring(store, CONTENT[:-1])
    with pytest.raises(ModelMissing, match="not here"):
        store.path("tiny")


def test_a_model_brought_by_hand_is_found(store: ModelStore) -> None:
    path = bring(store)
    assert store.path("tiny") == store.resolve("tiny") == path
    store.verify("tiny")
    assert [entry.is_here for entry in store.entries()] == [True, False]


def test_a_path_is_as_good_as_an_id(store: ModelStore, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"mine")
    assert store.resolve(str(own)) == own
    assert store.resolve(str(tmp_path)) == tmp_path


def test_a_mistyped_id_is_answered_with_the_right_one(store: ModelStore) -> None:
    with pytest.raises(ModelMissing, match=r'model "tny": no such file.*did you mean "tiny"\?'):
        store.resolve("tny")
    with pytest.raises(ModelMissing, match=r'did you mean "tiny"\?'):
        store.path("tni")


def test_verify_names_both_checksums(store: ModelStore) -> None:
    bring(store, b"wieghts")
    wrong = hashlib.sha256(b"wieghts").hexdigest()
    with pytest.raises(ChecksumMismatch, match=f"{wrong}.*{SHA256}"):
        store.verify("tiny")


def test_a_full_disk_is_noticed_before_anything_is_fetched(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, catalogue=Catalogue((TINY,)), free_bytes=lambda _: 6)
    with pytest.raises(DiskFull, match=r'"tiny" needs 0 MB.*0 MB are free'):
        store.pull("tiny")
    assert not (tmp_path / "tiny").exists()


def test_a_damaged_file_that_nobody_can_replace_is_named(store: ModelStore) -> None:
    bring(store, b"wieghts")
    with pytest.raises(ModelMissing, match=f"no source gave weights.bin(?s:.*){SHA256}"):
        store.pull("tiny")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = ModelStore(tmp_path / "file" / "models", catalogue=Catalogue((TINY,)))
    with pytest.raises(SoftagentError, match=r"models can't be kept in .*set SOFTAGENT_MODELS"):
        store.pull("tiny")


def test_what_is_here_is_not_fetched_again(store: ModelStore) -> None:
    bring(store)
    events: list[PullEvent] = []
    store.pull("tiny", events.append)
    assert events == [ModelPulled("tiny", is_new=False)]


def test_two_pulls_of_one_model_wait_for_each_other(store: ModelStore) -> None:
    """The second finds the model there when its turn comes."""
    waits = threading.Event()
    events: list[PullEvent] = []

    def note(event: PullEvent) -> None:
        events.append(event)
        waits.set()

    with (store.directory / ".tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=store.pull, args=("tiny", note))
        second.start()
        assert waits.wait(10)
        bring(store)
    second.join(10)
    assert not second.is_alive()
    assert events == [PullAwaited("tiny"), ModelPulled("tiny", is_new=False)]


def test_a_derived_model_is_made_once(store: ModelStore) -> None:
    bring(store)
    folder = store.pull("made")
    assert (folder / "out.bin").read_bytes() == CONTENT * 2
    store.verify("made")
    events: list[PullEvent] = []
    store.pull("made", events.append)
    assert events[-1] == ModelPulled("made", is_new=False)


def test_a_derived_model_is_made_again_when_its_source_has_changed(store: ModelStore) -> None:
    bring(store)
    folder = store.pull("made")
    (folder / "source.sha256").write_text("0000  weights.bin\n")
    (folder / "out.bin").write_bytes(b"old")
    with pytest.raises(ChecksumMismatch, match=f"0000.*{SHA256}"):
        store.verify("made")
    store.pull("made")
    assert (folder / "out.bin").read_bytes() == CONTENT * 2


def test_a_conversion_that_failed_leaves_nothing_that_looks_right(tmp_path: Path) -> None:
    def fail(source: Path, out: Path) -> None:
        (out / "out.bin").write_bytes(b"half")
        raise EngineFailed("no")

    store = ModelStore(tmp_path, catalogue=Catalogue((TINY, MADE)), recipes={"double": fail})
    bring(store)
    with pytest.raises(EngineFailed):
        store.pull("made")
    with pytest.raises(ModelMissing, match="which makes it from tiny"):
        store.path("made")
