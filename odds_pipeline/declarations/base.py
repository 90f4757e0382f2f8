"""The strict base of every declaration class, and the names they may use."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
VariableId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Month = Annotated[str, StringConstraints(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
Sentence = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]


class Declaration(BaseModel):
    """Unknown keys are mistakes, types are not coerced, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
