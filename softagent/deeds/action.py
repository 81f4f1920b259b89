"""Running an action of the office's own: see [[account.action]]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from softagent.abilities import Action
from softagent.deeds.program import run_program
from softagent.deeds.webhook import post_webhook
from softagent.dialogue.deeds import DeedOutcome, DeedResult


def run_action(
    action: Action, values: Mapping[str, str], *, about: Mapping[str, str]
) -> DeedOutcome:
    """Run `action` with what the caller gave; only its own parameters go out.

    `about` is the call: a program finds it in its environment too, a webhook in its headers.
    Where the action says nothing itself, the text is the account's `done` or `failed`.
    """
    known = {
        parameter.name: values[parameter.name]
        for parameter in action.parameters
        if parameter.name in values
    }
    if action.command:
        outcome = run_program(
            action.command, known, about=about, timeout_seconds=action.timeout_seconds
        )
    else:
        outcome = post_webhook(
            action.webhook,
            known,
            about=about,
            token=action.token,
            timeout_seconds=action.timeout_seconds,
        )
    own = action.done if outcome.result is DeedResult.DONE else action.failed
    return outcome if outcome.text else replace(outcome, text=own)
