"""Options for the fields of a training, made from their declarations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from attnstudy.fields import Field
from attnstudy.options.blaming import place_of
from attnstudy.options.declaring import Decorator, option, together

if TYPE_CHECKING:
    from click.types import OptionHelpExtra


class FieldType(click.ParamType[Any]):
    """A parameter type that refuses what the field refuses, and names the place of the value."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.name = {int: "integer range", float: "number", str: "text"}[field.kind]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """Return what stands for a value in the help."""
        return self.field.metavar or (
            f"[{'|'.join(self.field.choices)}]" if self.field.choices else None
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the checked value; what was converted already passes."""
        where = self.field.option if param is None or ctx is None else place_of(ctx, param)
        if isinstance(value, str):
            return self.field.parse(value, where)
        return self.field.check(value, where)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the field's choices."""
        return [CompletionItem(one) for one in self.field.choices if one.startswith(incomplete)]


class FieldOption(click.Option):
    """An option of which the help says the bounds of the field, whatever its kind."""

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return what stands in brackets behind the help."""
        extra = super().get_help_extra(ctx)
        if (
            isinstance(self.type, FieldType)
            and self.type.field.bounds
            and not self.type.field.parts
        ):
            extra["range"] = self.type.field.bounds
        return extra


def options_of(fields: Iterable[Field]) -> Decorator[Any]:
    """Declare an option for each field, named as it is: ``--batch-size``."""
    return together(
        *(
            option(
                field.option,
                cls=FieldOption,
                type=FieldType(field),
                default=field.shown_default,
                help=field.help,
            )
            for field in fields
        )
    )
