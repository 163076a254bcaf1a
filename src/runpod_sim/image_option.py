"""The option `--image`, which several commands have. Knows click and how images are described; knows no simulator."""

from __future__ import annotations

from typing import Any

import click

from .records.images import PROGRAMS, Images, said


class SaidImages(click.Option):
    """An option whose texts together become one value."""

    def process_value(self, ctx: click.Context, value: Any) -> Images:
        """The known images, and those of the command line."""
        try:
            return said(super().process_value(ctx, value) or ())
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, self) from None


image_option = click.option(
    "--image",
    "images",
    cls=SaidImages,
    multiple=True,
    metavar="NAME=has:A,B",
    help=f"What an image brings, of {', '.join(PROGRAMS)}; repeatable.",
)
