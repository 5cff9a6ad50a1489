"""What a field of settings is where nothing is said."""

import dataclasses
from typing import Any


def default_of(field: "dataclasses.Field[Any]", within: Any = dataclasses.MISSING) -> Any:  # noqa: ANN401
    """The default of a field, or ``dataclasses.MISSING`` where it has none.

    Args:
        field: of a dataclass of settings.
        within: the settings that it is a field of, where these are the default of a field
            themselves: what they say counts, whatever their class says.
    """
    if within is not dataclasses.MISSING:
        return getattr(within, field.name)
    if callable(field.default_factory):
        return field.default_factory()
    return field.default
