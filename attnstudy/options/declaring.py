"""How options are declared: each can also be given in the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


class Text(click.types.StringParamType):
    """A text; of several in a variable of the environment each is a line, as blanks are in them."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the texts in a variable's value."""
        return [line for line in rv.splitlines() if line.strip()]


def option(*names: str, env: tuple[str, ...] = (), **settings: Any) -> Decorator[Any]:
    """Declare an option that can also be given in the environment."""
    longs = [name[2:].partition("/")[0] for name in names if name.startswith("--")]
    variables = [f"ATTNSTUDY_{long.replace('-', '_').upper()}" for long in longs]
    if settings.get("multiple"):
        settings.setdefault("type", Text())
    settings.setdefault("show_default", settings.get("default") is not None)
    return click.option(*names, envvar=(*variables, *env), **settings)


def together(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Return one decorator that applies several, in the order in which they are listed."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


POSITIVE = click.IntRange(min=1)
