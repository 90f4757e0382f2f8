"""A known error of a source: what is wrong in which delivery, what to do until the source mends it."""

import re
from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from odds_pipeline.declarations.base import Declaration, Month, Name, Sentence


class Scope(Declaration):
    """The deliveries and the cells meant; what is not given matches anything."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [name]} for name in ("file", "sha256", "month")]}
    )

    file: str | None = Field(default=None, description="regular expression searched in the file name")
    sha256: str | None = Field(
        default=None, min_length=8, description="beginning of the hash of the bytes"
    )
    month: Month | None = None
    territory: str | None = None
    variable: Name | None = None
    raw: str | None = Field(default=None, description="the cell as the file has it")

    @field_validator("file")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            re.compile(value)
        return value

    @model_validator(mode="after")
    def _names_a_delivery(self) -> "Scope":
        if self.file is None and self.sha256 is None and self.month is None:
            raise ValueError("say which delivery is meant: file, sha256 or month")
        return self


class Correction(Declaration):
    """``action``: ``set`` a value, mark ``missing`` or ``secret``, ``drop`` or ``move`` to a month."""

    id: Name
    match: Scope
    action: Literal["set", "missing", "secret", "drop", "move"]
    value: int | float | None = None
    month: Month | None = Field(default=None, description="the right month, for `move`")
    reason: Sentence
    reported_to: Sentence = Field(description="who was told of the error, and when")
    status: Literal["reported", "confirmed", "contested"]

    @model_validator(mode="after")
    def _complete(self) -> "Correction":
        if (self.action == "set") != (self.value is not None):
            raise ValueError("`value` goes with action `set`")
        if (self.action == "move") != (self.month is not None):
            raise ValueError("`month` goes with action `move`")
        return self


class Corrections(Declaration):
    """``assets/partners/<partner>/<feed>.corrections.yaml``."""

    corrections: list[Correction] = Field(min_length=1)
