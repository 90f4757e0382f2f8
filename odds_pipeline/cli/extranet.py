"""Commands of the members' site: start it, manage its accounts."""

from __future__ import annotations

import gc
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from odds_pipeline.cli.app import AsJson, app, fail, load, out, print_json, table
from odds_pipeline.declarations.access import Access
from odds_pipeline.declarations.extranet import ENVIRONMENT, LOOPBACK
from odds_pipeline.storage.home import Home

if TYPE_CHECKING:
    from odds_pipeline.declarations.extranet import Settings
    from odds_pipeline.extranet.identity.accounts import Accounts, Person

SOON = 700
"""Objects made between two looks for unused ones, Python's own setting."""

account = typer.Typer(no_args_is_help=True, help="Accounts of the members' site.")
app.add_typer(account, name="account")


@app.command()
def extranet(
    port: Annotated[
        int | None, typer.Option(help="port to listen on, by default that of public_url")
    ] = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
) -> None:
    """Start the members' site on the current release; a new one goes live by itself."""
    import uvicorn

    from odds_pipeline.extranet.app import create_app
    from odds_pipeline.extranet.warming import keep_warm

    settings = _settings()
    _check_address(settings, host)
    declared = urlsplit(settings.public_url)
    port = port or (declared.port if declared.hostname in LOOPBACK else None) or 8080
    home = Home.from_environment()
    home.check_share()
    site = create_app(load(), home, settings)
    out.print(f"Extranet on http://{host}:{port}", highlight=False)
    own = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    keep_warm(f"http://{own}:{port}", site.state.serving)
    # A command looks for unused objects seldom and long, which held readers up for 0.2 s: a site looks
    # often and briefly, and not among what it read to begin with.
    gc.freeze()
    gc.set_threshold(SOON)
    # Whose X-Forwarded-For is believed is the application's to say (trusted_proxies).
    uvicorn.run(
        site, host=host, port=port, log_level="warning", server_header=False, proxy_headers=False
    )


def _check_address(settings: Settings, host: str) -> None:
    """Passwords and sessions go over https, or stay on this machine."""
    if settings.secure or (urlsplit(settings.public_url).hostname in LOOPBACK and host in LOOPBACK):
        return
    fail(
        f"public_url is {settings.public_url} and the site would listen on {host}: passwords would "
        "travel in clear. Declare an https public_url in resources/extranet.yaml, or in the file that "
        f"{ENVIRONMENT} names.",
        1,
    )


def _settings() -> Settings:
    from odds_pipeline.declarations.extranet import Settings
    from odds_pipeline.declarations.project import project_root

    return Settings.read(project_root())


def _accounts() -> Accounts:
    from odds_pipeline.extranet.identity.accounts import Accounts

    return Accounts(Home.from_environment().accounts)


@account.command("organisation")
def organisation(
    name: str,
    access: Annotated[Access, typer.Option(help="class of access of its people")] = "membres",
    siret: Annotated[str | None, typer.Option(help="fourteen digits, for OpenID Connect")] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="partner whose restricted figures it may see")
    ] = None,
    territory: Annotated[str | None, typer.Option(help="code of its own territory")] = None,
    runs_observatory: Annotated[
        bool, typer.Option("--observatory", help="its administrators manage every organisation")
    ] = False,
) -> None:
    """Add an organisation, or change the rights of the one of that name."""
    project = load()
    unknown = set(partner or []) - set(project.partners)
    if unknown:
        fail(f"no partner {', '.join(sorted(unknown))}; known: {', '.join(project.partners)}")
    if territory is not None and territory not in {t.code for t in project.territories.all}:
        fail(f"no territory {territory!r}: give its code")
    try:
        saved = _accounts().save_organisation(
            name,
            access,
            siret=siret,
            partners=partner or [],
            territory=territory,
            runs_observatory=runs_observatory,
        )
    except ValueError as error:
        fail(str(error))
    out.print(f"{saved.name}: {saved.access} {' '.join(saved.partners)}", highlight=False)


@account.command("invite")
def invite(
    email: str,
    name: str,
    organisation: Annotated[str, typer.Option(help="name of an organisation")],
    administrator: Annotated[bool, typer.Option("--administrator")] = False,
) -> None:
    """Open an account, or invite its owner again; prints the address where to choose a password."""
    from odds_pipeline.extranet.identity.accounts import INVITATION_DAYS

    accounts, settings = _accounts(), _settings()
    found = next((o for o in accounts.organisations() if o.name == organisation), None)
    if found is None:
        known = ", ".join(o.name for o in accounts.organisations()) or "none yet"
        fail(f"no organisation {organisation!r}; known: {known}. Add it: odds account organisation")
    person = accounts.with_email(email)
    try:
        person = person or accounts.add_person(email, name, found.id, administrator=administrator)
    except ValueError as error:
        fail(str(error))
    if person.organisation.id != found.id:
        fail(f"{email} already belongs to {person.organisation.name}")
    if administrator:
        accounts.set_administrator(person.id, True)
    secret = accounts.open_session(person.id, "invitation", timedelta(days=INVITATION_DAYS))
    out.print(
        f"{settings.public_url}/invitation/{secret}", highlight=False, soft_wrap=True, markup=False
    )


@account.command("create-admin")
def create_admin(
    email: str,
    name: str,
    organisation: Annotated[str, typer.Option(help="name of the body that runs the site")] = (
        "Observatoire"
    ),
) -> None:
    """Make the first administrator; prints the address where they choose their password."""
    accounts = _accounts()
    if organisation not in {o.name for o in accounts.organisations()}:
        accounts.save_organisation(organisation, "partenaires", runs_observatory=True)
    invite(email, name, organisation, administrator=True)


@account.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """Every account."""
    accounts = _accounts()
    found = [p for o in accounts.organisations() for p in accounts.people(o.id)]
    if as_json:
        print_json([asdict(p) for p in found])
        return
    table(
        f"{len(found)} accounts",
        ["email", "name", "organisation", "access", "administrator", "closed", "last seen"],
        [
            [
                p.email,
                p.name,
                p.organisation.name,
                " ".join([p.organisation.access, *p.organisation.partners]),
                "yes" if p.administrator else "",
                "yes" if p.revoked else "",
                p.seen_at,
            ]
            for p in found
        ],
    )


@account.command("revoke")
def revoke(email: str) -> None:
    """Close an account; its sessions and tokens end at once."""
    accounts = _accounts()
    person = _person(accounts, email)
    try:
        accounts.set_revoked(person.id, True)
    except ValueError as error:
        fail(str(error), 1)
    out.print(f"{person.email}: closed", highlight=False)


def _person(accounts: Accounts, email: str) -> Person:
    person = accounts.with_email(email)
    if person is None:
        fail(f"no account {email!r}")
    return person


@account.command("demote")
def demote(email: str) -> None:
    """End the role of an administrator; the account stays."""
    accounts = _accounts()
    person = _person(accounts, email)
    try:
        accounts.set_administrator(person.id, False)
    except ValueError as error:
        fail(str(error), 1)
    out.print(f"{person.email}: no longer an administrator", highlight=False)


@account.command("export")
def export(email: str) -> None:
    """All that is kept about a person, as JSON, to hand to them."""
    accounts = _accounts()
    print_json(accounts.everything_of(_person(accounts, email).id))


@account.command("correct")
def correct(
    email: str,
    new_email: Annotated[str | None, typer.Option("--email", help="the right address")] = None,
    name: Annotated[str | None, typer.Option(help="the right name")] = None,
) -> None:
    """Put a person's address or name right."""
    accounts = _accounts()
    person = _person(accounts, email)
    try:
        accounts.correct(person.id, new_email or person.email, name or person.name)
    except ValueError as error:
        fail(str(error), 1)
    out.print("corrected", highlight=False)


@account.command("erase")
def erase(
    email: str,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Forget a person; the journal keeps what happened, without a name, as long as the settings say."""
    accounts = _accounts()
    person = _person(accounts, email)
    if not yes:
        typer.confirm(f"Erase {person.name} ({person.email})?", abort=True)
    try:
        accounts.erase(person.id)
    except ValueError as error:
        fail(str(error), 1)
    out.print("erased", highlight=False)


@account.command("purge")
def purge(as_json: AsJson = False) -> None:
    """Delete personal data kept longer than ``resources/extranet.yaml`` says; also done at sign-ins."""
    from odds_pipeline.extranet.identity.journal import purge as purge_accounts

    counts = purge_accounts(_accounts(), _settings(), asked=True)
    if as_json:
        print_json(counts)
    else:
        out.print(", ".join(f"{count} {name}" for name, count in counts.items()), highlight=False)
