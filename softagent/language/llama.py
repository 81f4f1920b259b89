"""A GGUF model in this process, through llama-cpp-python.

Its key-value cache always holds the tokens of the last prompt and answer. The next
prompt begins with most of them, so only what is new is evaluated: that, and the
priming before a call, is what makes the first word come soon.
"""

from __future__ import annotations

import ctypes
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from softagent.chat import Message
from softagent.config import LlmSettings
from softagent.errors import EngineFailed, ModelMissing
from softagent.language.answer_text import AnswerText
from softagent.language.forgetting import common_prefix, tokens_to_forget

BATCH_TOKENS = 128
"""Most tokens evaluated in one go; llama.cpp can't be interrupted inside."""
TOP_K = 40
"""Above temperature 0, the choice is among this many of the likeliest tokens."""
LOCK_POLL_SECONDS = 0.02
GGUF_MAGIC = b"GGUF"
_PLACE = "\ue000{}\ue001"
"""Stands in a template for the text of a message, in characters for private use."""
_PLACES = re.compile("\ue000([0-9]+)\ue001")

_log = logging.getLogger(__name__)


class LlamaLanguageModel:
    """One model with one context. Any thread may call; generations queue up behind each other."""

    def __init__(self, path: Path, settings: LlmSettings) -> None:
        _check_file(path)
        import llama_cpp

        _route_log()
        try:
            self._llama = llama_cpp.Llama(
                model_path=str(path),
                n_ctx=settings.context_tokens,
                n_batch=BATCH_TOKENS,
                n_threads=settings.threads,
                n_threads_batch=settings.threads,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise EngineFailed(f'language model "{path}": can\'t be loaded: {error}') from error
        self._api: Any = llama_cpp
        self._path = path
        self._vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        self._format = _ChatFormat(self._llama, path)
        self._temperature = settings.temperature
        self._random = np.random.default_rng(0)
        # Guards the context: its cache and its logits. Held for a whole generation, because
        # llama.cpp crashes when two threads decode in one context.
        self._lock = threading.Lock()
        self._holder: int | None = None

    @property
    def context_tokens(self) -> int:
        """Size of the context window."""
        return int(self._llama.n_ctx())

    @property
    def cached_tokens(self) -> int:
        """Tokens that the key-value cache holds now."""
        return int(self._llama.n_tokens)

    def warm_up(self) -> None:
        """Say a word unheard: the weights are in memory then, and the first caller doesn't wait."""
        hello = [Message(role="user", content="Hello")]
        for _ in self.stream(hello, max_tokens=2, cancelled=lambda: False):
            pass

    def prime(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> None:
        """Evaluate a prompt's beginning ahead of time, so that a stream that starts with it is quick."""
        tokens = self._prompt(messages, is_complete=False)
        with self._own_context(cancelled) as is_ours:
            if is_ours and self._common_prefix(tokens) < len(tokens):
                self._evaluate(tokens, cancelled)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the prompt made of `messages` takes in the context window."""
        return len(self._format.tokens(messages, is_complete=True))

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """Yield the answer piece by piece; stop before the next token once `cancelled()` is true.

        Iterated, and closed, by one thread. Raises EngineFailed when the prompt doesn't
        fit into the context window.
        """
        tokens = self._prompt(messages, is_complete=True)
        with self._own_context(cancelled) as is_ours:
            if not is_ours or not self._evaluate(tokens, cancelled):
                return
            answer = AnswerText()
            for token in self._generate(
                min(max_tokens, self.context_tokens - len(tokens)), cancelled
            ):
                if piece := answer.push(self._llama.detokenize([token])):
                    yield piece
                if answer.has_ended:
                    return
            if not cancelled() and (piece := answer.flush()):
                yield piece

    def _prompt(self, messages: Sequence[Message], *, is_complete: bool) -> list[int]:
        tokens = self._format.tokens(messages, is_complete=is_complete)
        if len(tokens) >= self.context_tokens:
            raise EngineFailed(
                f"the prompt has {len(tokens)} tokens, the context window {self.context_tokens}:"
                " shorten facts and persona or raise llm.context_tokens"
            )
        return tokens

    def _generate(self, max_tokens: int, cancelled: Callable[[], bool]) -> Iterator[int]:
        """The tokens that follow what was evaluated, up to the model's own end mark."""
        for left in reversed(range(max_tokens)):
            token = self._choose()
            # A control token in the middle of an answer means that the model has lost its way.
            if self._api.llama_vocab_is_eog(self._vocab, token) or self._api.llama_vocab_is_control(
                self._vocab, token
            ):
                return
            yield token
            if not left or cancelled():
                return
            self._decode([token])

    def _choose(self) -> int:
        """The next token: the likeliest, or by the temperature one of the likely ones."""
        logits = np.ctypeslib.as_array(
            self._api.llama_get_logits_ith(self._llama.ctx, -1), shape=(self._llama.n_vocab(),)
        )
        if self._temperature <= 0:
            return int(np.argmax(logits))
        likely = np.argpartition(logits, -TOP_K)[-TOP_K:]
        weights = np.exp((logits[likely] - logits[likely].max()) / self._temperature)
        return int(self._random.choice(likely, p=weights / weights.sum()))

    def _evaluate(self, tokens: list[int], cancelled: Callable[[], bool]) -> bool:
        """Bring the cache to hold exactly `tokens`; False when cancelled on the way.

        What it holds already stays. The last token is evaluated in any case, because the
        choice of the next one needs its logits.
        """
        self._forget(tokens)
        keep = min(self._common_prefix(tokens), len(tokens) - 1)
        memory = self._api.llama_get_memory(self._llama.ctx)
        if not self._api.llama_memory_seq_rm(memory, 0, keep, -1):
            # A recurrent model can't forget only a part.
            self._api.llama_memory_clear(memory, True)
            keep = 0
        self._llama.n_tokens = keep
        for start in range(keep, len(tokens), BATCH_TOKENS):
            if cancelled():
                return False
            self._decode(tokens[start : start + BATCH_TOKENS])
        return not cancelled()

    def _forget(self, tokens: list[int]) -> None:
        """Take out of the cache what `tokens` leaves out of its middle: the oldest turns of a long call.

        What came after moves up by turning its keys (RoPE), which takes no evaluation.
        """
        memory = self._api.llama_get_memory(self._llama.ctx)
        if not self._api.llama_memory_can_shift(memory):
            return
        held = self._llama.n_tokens
        cached = self._llama.input_ids[:held]
        start, end = tokens_to_forget(cached, np.asarray(tokens, np.intc))
        if start == end or not self._api.llama_memory_seq_rm(memory, 0, start, end):
            return
        self._api.llama_memory_seq_add(memory, 0, end, -1, start - end)
        cached[start : held - (end - start)] = cached[end:].copy()
        self._llama.n_tokens = held - (end - start)

    def _decode(self, tokens: list[int]) -> None:
        try:
            self._llama.eval(tokens)
        except RuntimeError as error:
            raise EngineFailed(f'language model "{self._path}": {error}') from error

    def _common_prefix(self, tokens: list[int]) -> int:
        """How many of `tokens` the cache holds already."""
        cached = self._llama.input_ids[: self._llama.n_tokens]
        return common_prefix(cached, np.asarray(tokens, np.intc))

    @contextmanager
    def _own_context(self, cancelled: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the context; yields False when cancelled while waiting."""
        if self._holder == threading.get_ident():
            raise EngineFailed("a reply of this thread is still open: close it before the next")
        while not self._lock.acquire(timeout=LOCK_POLL_SECONDS):
            if cancelled():
                yield False
                return
        self._holder = threading.get_ident()
        try:
            yield True
        finally:
            self._holder = None
            self._lock.release()


class _ChatFormat:
    """Messages to tokens, by the chat template that the GGUF brings along."""

    def __init__(self, llama: Any, path: Path) -> None:
        from llama_cpp import llama_model_get_vocab, llama_vocab_get_add_bos
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        template = llama.metadata.get("tokenizer.chat_template")
        if template is None:
            raise EngineFailed(
                f'language model "{path}" has no chat template: choose an "instruct" model'
            )
        self._llama = llama
        self._path = path
        self._adds_bos = bool(llama_vocab_get_add_bos(llama_model_get_vocab(llama.model)))
        self._templates = {
            is_complete: Jinja2ChatFormatter(
                # The tokenizer adds the mark of the beginning, where the model wants one.
                template,
                eos_token="",
                bos_token="",
                add_generation_prompt=is_complete,
            )
            for is_complete in (True, False)
        }

    def tokens(self, messages: Sequence[Message], *, is_complete: bool) -> list[int]:
        """The prompt; when `is_complete`, up to where the assistant's answer begins.

        Only the template's own text can become control tokens: what was said or configured
        is put in its place afterwards, and read as plain text whatever it looks like.
        """
        places = [
            Message(role=message["role"], content=_PLACE.format(number))
            for number, message in enumerate(messages)
        ]
        try:
            prompt = self._templates[is_complete](messages=places).prompt
        except ValueError as error:  # Some templates refuse roles or their order.
            raise EngineFailed(f'language model "{self._path}": chat template: {error}') from error
        tokens: list[int] = []
        for index, part in enumerate(_PLACES.split(prompt)):
            is_place = index % 2 == 1
            text = messages[int(part)]["content"].strip() if is_place else part
            tokens += self._llama.tokenize(
                text.encode(), add_bos=self._adds_bos and index == 0, special=not is_place
            )
        return tokens


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise ModelMissing(
            f'language model "{path}": {error.strerror}: run "softagent models pull", '
            "or set llm.model to a GGUF file"
        ) from error
    if magic != GGUF_MAGIC:
        raise EngineFailed(f'language model "{path}" is not a GGUF file')


@cache
def _route_log() -> object:
    """Send what llama.cpp says to our log; it would write on stderr. The result is kept alive for ever."""
    import llama_cpp

    error_level = 4  # GGML_LOG_LEVEL_ERROR of ggml.h

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
    def write(level: int, text: bytes, _user_data: object) -> None:
        line = text.decode(errors="replace").rstrip()
        _log.log(logging.WARNING if level == error_level else logging.DEBUG, "llama.cpp: %s", line)

    llama_cpp.llama_log_set(write, ctypes.c_void_p(0))
    return write
