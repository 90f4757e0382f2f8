"""How the deliveries of a feed are simulated, as ``resources/simulation/`` declares it."""

from pydantic import ConfigDict, Field, JsonValue, model_validator

from odds_pipeline.declarations.base import Declaration, Name

_KINDS: list[JsonValue] = [["of", "share"], ["level"], ["total_of"]]


class Draw(Declaration):
    """A share of another variable, a level, or the sum of other variables of the feed.

    ``spread`` is the relative spread between communes, ``trend`` the relative change a year,
    ``seasonal`` the amplitude of the winter peak, ``precarity`` the correlation between communes with
    how modest they are, from -1 to 1.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": names} for names in _KINDS]})

    of: str | None = None
    share: int | float | None = None
    level: int | float | None = None
    total_of: list[Name] | None = None
    spread: int | float = 0.1
    trend: int | float = 0.0
    seasonal: int | float = 0.0
    precarity: int | float = Field(
        default=0.0, ge=-1, le=1, json_schema_extra={"minimum": -1, "maximum": 1}
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Draw":
        share = self.of is not None and self.share is not None
        if [share, self.level is not None, self.total_of is not None].count(True) != 1:
            raise ValueError("give `of` and `share`, or `level`, or `total_of`")
        return self


class Simulation(Declaration):
    """How one feed's deliveries are drawn, in which of its formats they are written.

    ``exact``: the partner entrusts its small counts to the observatory, which hides them.
    """

    format: Name
    exact: bool = False
    variables: dict[Name, Draw] = {}
    splits: dict[Name, dict[Name, int | float] | list[dict[Name, int | float]]] = {}

    @property
    def ways(self) -> list[tuple[str, dict[str, int | float]]]:
        """Each total with the weights of its parts, once for each way of splitting it."""
        return [
            (total, weights)
            for total, ways in self.splits.items()
            for weights in (ways if isinstance(ways, list) else [ways])
        ]
