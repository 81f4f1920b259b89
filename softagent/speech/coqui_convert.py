"""Turns a Piper voice into a Coqui checkpoint: both are VITS (Kim et al. 2021), only the names differ.

Piper's .onnx holds the trained weights, but its export folded the weight normalisation
and lost the names of the convolutions that had one. Their biases kept theirs.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

PARAMETERS = re.compile(r"(enc_p|dp|flow|dec)\.")
"""Text encoder, duration predictor, flow and decoder: the parts that speak."""
EMBEDDING_NODE = "/enc_p/emb/Gather"
FOLDED_SCALE = "/dp/flows.0/Exp_output_0"
"""exp(-log_scale) of the duration predictor's first flow, folded into a constant."""
PUNCTUATION = frozenset("!'(),-.:;? \"")
PAD, BOS, EOS, BLANK = "_", "^", "$", "<BLNK>"


def convert_piper_voice(piper_onnx: Path, piper_json: Path, out: Path) -> None:
    """Write model.pth and config.json, which Coqui's `TTS` loads, into the folder `out`.

    For Piper's single-speaker "medium" voices with espeak phonemes. Raises ImportError
    without the extra "coqui", ValueError for a voice of another build.
    """
    import torch
    from TTS.tts.models.vits import Vits

    piper = json.loads(piper_json.read_text(encoding="utf-8"))
    if piper["num_speakers"] != 1 or piper.get("phoneme_type", "espeak") != "espeak":
        raise ValueError(f"{piper_json}: only voices with one speaker and espeak phonemes")
    config = _coqui_config(piper)
    model = Vits(config)
    weights = _piper_weights(piper_onnx)
    embedding = weights.pop("enc_p.emb.weight")
    renamed = _coqui_names(weights)
    # A blank between the phonemes is Piper's padding.
    rows = [
        piper["phoneme_id_map"][PAD if symbol == BLANK else symbol][0]
        for symbol in model.tokenizer.characters.vocab
    ]
    renamed["text_encoder.emb.weight"] = embedding[rows]
    model.load_state_dict(_filled(model.state_dict(), renamed))
    out.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "step": 0}, out / "model.pth")
    config.save_json(str(out / "config.json"))


def _piper_weights(piper_onnx: Path) -> dict[str, Any]:
    """Name in Piper's own training code -> tensor."""
    import onnx
    import torch
    from onnx import numpy_helper

    graph = onnx.load(str(piper_onnx)).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}

    def tensor(name: str) -> Any:
        return torch.from_numpy(numpy_helper.to_array(stored[name]).copy())

    weights = {name: tensor(name) for name in stored if PARAMETERS.match(name)}
    for node in graph.node:
        if (
            node.op_type in ("Conv", "ConvTranspose")
            and len(node.input) > 2
            and node.input[1].startswith("onnx::")
        ):
            weights[node.input[2].removesuffix(".bias") + ".weight"] = tensor(node.input[1])
        if node.name == EMBEDDING_NODE:
            weights["enc_p.emb.weight"] = tensor(node.input[0])
    weights["dp.flows.0.logs"] = -torch.log(tensor(FOLDED_SCALE))
    return weights


def _coqui_names(weights: dict[str, Any]) -> dict[str, Any]:
    """Coqui renames the original VITS parameters itself, but only in a file."""
    import torch
    from TTS.tts.utils.fairseq import rehash_fairseq_vits_checkpoint

    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save({"model": weights}, file.name)
        renamed: dict[str, Any] = rehash_fairseq_vits_checkpoint(file.name)
    return renamed


def _filled(state: dict[str, Any], weights: dict[str, Any]) -> dict[str, Any]:
    """`state` with every one of `weights` in its place.

    A convolution with weight normalisation has its weight as a direction v and a length
    g: v = weight and g = |weight| give the same convolution.
    """
    used = set()
    for name in state:
        if name in weights:
            state[name] = weights[name].reshape(state[name].shape)
            used.add(name)
        plain = name.replace("parametrizations.weight.original1", "weight")
        if plain != name and plain in weights:
            weight = weights[plain].reshape(state[name].shape)
            length = name.removesuffix("1") + "0"
            state[name] = weight
            state[length] = weight.flatten(1).norm(dim=1).reshape(state[length].shape)
            used.add(plain)
    if unknown := set(weights) - used:
        raise ValueError(
            f"this Piper voice has parts that Coqui's VITS lacks: {sorted(unknown)[:3]}"
        )
    return state


def _coqui_config(piper: dict[str, Any]) -> Any:
    """The same network and symbols in Coqui's terms."""
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.shared_configs import CharactersConfig
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig

    symbols = [symbol for symbol in piper["phoneme_id_map"] if symbol not in (PAD, BOS, EOS)]
    scales = piper["inference"]
    network = VitsArgs(
        num_chars=len(piper["phoneme_id_map"]) + 1,
        resblock_type_decoder="2",
        resblock_kernel_sizes_decoder=[3, 5, 7],
        resblock_dilation_sizes_decoder=[[1, 2], [2, 6], [3, 12]],
        upsample_rates_decoder=[8, 8, 4],
        upsample_initial_channel_decoder=256,
        upsample_kernel_sizes_decoder=[16, 16, 8],
        init_discriminator=False,
        inference_noise_scale=scales["noise_scale"],
        inference_noise_scale_dp=scales["noise_w"],
        length_scale=scales["length_scale"],
    )
    characters = CharactersConfig(
        characters_class="TTS.tts.utils.text.characters.IPAPhonemes",
        pad=PAD,
        eos=EOS,
        bos=BOS,
        blank=BLANK,
        characters="".join(symbol for symbol in symbols if symbol not in PUNCTUATION),
        punctuations="".join(symbol for symbol in symbols if symbol in PUNCTUATION),
        is_unique=True,
        is_sorted=True,
    )
    return VitsConfig(
        model_args=network,
        audio=BaseAudioConfig(
            sample_rate=piper["audio"]["sample_rate"],
            fft_size=1024,
            win_length=1024,
            hop_length=256,
            num_mels=80,
        ),
        run_name=piper.get("dataset", "piper"),
        text_cleaner=None,
        use_phonemes=True,
        phonemizer="espeak",
        phoneme_language=piper["espeak"]["voice"],
        add_blank=True,
        enable_eos_bos_chars=True,
        compute_input_seq_cache=False,
        characters=characters,
    )
