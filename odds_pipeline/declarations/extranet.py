"""Settings of the extranet, declared in ``resources/extranet.yaml``."""

import os
from pathlib import Path

from pydantic import Field

from odds_pipeline.declarations.base import Declaration, Name, Sentence
from odds_pipeline.declarations.problems import Problem
from odds_pipeline.declarations.validation import Reader

FILE = Path("resources", "extranet.yaml")
ENVIRONMENT = "ODDS_EXTRANET"
"""Names a file of settings of one's own, outside the project folder."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Provider(Declaration):
    """An OpenID Connect provider. ``siret_claim`` names the claim that tells the organisation.

    ``client_secret_env`` is the name of the environment variable that holds the secret. ``pkce``
    is false for a provider that refuses parameters it does not know.
    """

    id: Name
    label: Sentence
    issuer: str
    client_id: str
    client_secret_env: str
    scope: str = "openid given_name usual_name email siret"
    pkce: bool = True
    siret_claim: str = "siret"
    algorithms: list[str] = Field(default=["RS256", "ES256"], min_length=1)

    @property
    def secret(self) -> str:
        return os.environ.get(self.client_secret_env, "")


class Settings(Declaration):
    """``public_url`` is the address readers use; it decides cookies' ``Secure`` and redirects."""

    title: Sentence
    publisher: Sentence
    contact: Sentence
    public_url: str = "http://127.0.0.1:8080"
    trusted_proxies: list[str] = Field(
        default=[], description="addresses or networks whose X-Forwarded-For is believed"
    )
    session_hours: int = Field(default=12, ge=1)
    token_days: int = Field(default=90, ge=1)
    journal_days: int = Field(default=365, ge=1)
    inactive_months: int = Field(default=24, ge=1)
    password_length: int = Field(default=12, ge=8)
    providers: list[Provider] = []

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @classmethod
    def read(cls, root: Path) -> "Settings":
        """Read the file of a project folder; :class:`DeclarationError` lists its mistakes."""
        path = Path(os.environ.get(ENVIRONMENT) or root / FILE).absolute()
        return Reader(root).required(cls, path)


def extranet_problems(root: Path) -> list[Problem]:
    """Mistakes of the file; a project folder may have none, and then no members' site."""
    reader = Reader(root)
    if (root / FILE).exists():
        reader.declared(Settings, root / FILE)
    return reader.problems
