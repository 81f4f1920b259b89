import pytest
from hypothesis import given
from hypothesis import strategies as st

from softagent.config import (
    LlmSettings,
    RecognizerSettings,
    SynthesizerSettings,
    VadSettings,
)
from softagent.models.catalogue import Model, PackageSource, load_catalogue, parse_catalogue

MODELS = load_catalogue().models

BROKEN = """
[[model]]
id = "one"
engine = "llama"
about = "wrong in every way"
licence = ""
main = "other.bin"
files = [
  { name = "../x.bin", size = 0, sha256 = "abc" },
]

[[model]]
id = "two"
engine = "coqui"
about = "made from nothing"
licence = "MIT"
derived = { from = "zero", recipe = "r", names = ["a"], size = 1 }
"""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_model_says_its_licence_size_and_origin(model: Model) -> None:
    """What is pulled can be checked, and used with a good conscience."""
    assert model.licence in {"MIT", "BSD-2-Clause", "Apache-2.0", "CC0-1.0"}
    assert model.size > 0
    assert model.derived or all(file.sources and len(file.sha256) == 64 for file in model.files)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_package_is_pinned(model: Model) -> None:
    """A carrier's next version may hold anything."""
    sources = [source for file in model.files for source in file.sources]
    packages = [source.package for source in sources if isinstance(source, PackageSource)]
    assert all("==" in package for package in packages)


def test_the_models_of_the_default_settings_are_the_ones_pulled_by_default() -> None:
    """After a plain pull, an account without engine settings works."""
    wanted = {
        VadSettings().model,
        RecognizerSettings().model,
        LlmSettings().model,
        SynthesizerSettings().model,
    }
    assert {model.id for model in MODELS if model.is_default} == wanted


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValueError, match="model") as caught:
        parse_catalogue(BROKEN)
    assert str(caught.value).splitlines() == [
        'model "one": licence is missing',
        'model "one": main "other.bin" is not one of its files',
        'model "one": file "../x.bin" leaves the model\'s folder',
        'model "one": file "../x.bin": size must be above 0',
        'model "one": file "../x.bin": sha256 must be 64 hexadecimal digits',
        'model "one": file "../x.bin" has no source',
        'model "two": is derived from "zero", which is not in the catalogue',
    ]


@given(offset=st.integers(0, 10**10), part_bytes=st.integers(1, 10**8))
def test_a_byte_lies_in_exactly_one_part(offset: int, part_bytes: int) -> None:
    source = PackageSource("p-part{part}==1.0", "p/part{part:02}.bin", part_bytes)
    requirement, member, begin = source.part_at(offset)
    number = begin // part_bytes + 1
    assert begin <= offset < begin + part_bytes
    assert begin % part_bytes == 0
    assert (requirement, member) == (f"p-part{number}==1.0", f"p/part{number:02}.bin")


def test_one_package_may_carry_the_whole_file() -> None:
    source = PackageSource("p==1.0", "p/weights.bin")
    assert source.part_at(123) == ("p==1.0", "p/weights.bin", 0)
