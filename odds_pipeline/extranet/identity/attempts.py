"""How often a sign-in may be tried: attempts are counted before anything is computed for them."""

from datetime import timedelta

from odds_pipeline.extranet.identity.accounts import CLOCK, Accounts, hashed, now, stamp
from odds_pipeline.extranet.identity.journal import note, shortened

WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)
FAILURES = 5
"""Attempts of one account from one address within the window, before it must wait."""
OF_NETWORK, OF_NETWORK_A_DAY = 50, 300
"""Of one network over all accounts: a town hall may stand behind a single address."""
OF_ACCOUNT_A_DAY = 30
"""Of one account from everywhere but the networks where its owner has signed in: a stranger who
changes address guesses 30 passwords a day, and keeps nobody out of their office."""

_COUNTS = """
SELECT count(*) FILTER (WHERE account = :account AND address = :address AND at > :window),
       count(*) FILTER (WHERE network = :network AND at > :window),
       count(*) FILTER (WHERE network = :network),
       count(*) FILTER (WHERE account = :account)
FROM failures WHERE at > :day AND at <= :soon AND (account = :account OR network = :network)
"""
_AT_HOME = """
SELECT count(*) FROM journal a JOIN people p ON p.id = a.person
WHERE a.event = 'connexion' AND a.address = ? AND p.email = ?
"""


def _network(address: str) -> str:
    return shortened(address) or address


def must_wait(accounts: Accounts, account: str, address: str) -> bool:
    """Whether this account from this address, its network, or the account from afar tried too often."""
    moment = now()
    given = {
        "account": hashed(account.strip().lower()),
        "address": hashed(address),
        "network": hashed(_network(address)),
        "window": stamp(moment - WINDOW),
        "day": stamp(moment - DAY),
        "soon": stamp(moment + CLOCK),
    }
    here, lately, today, everywhere = accounts.database.execute(_COUNTS, given).fetchone()
    if here >= FAILURES or lately >= OF_NETWORK or today >= OF_NETWORK_A_DAY:
        return True
    return bool(everywhere >= OF_ACCOUNT_A_DAY and not _at_home(accounts, account, address))


def _at_home(accounts: Accounts, account: str, address: str) -> bool:
    """Whether the owner of the account has signed in from this network."""
    network = shortened(address)
    row = accounts.database.execute(_AT_HOME, [network, account.strip()]).fetchone()
    return bool(network and row[0])


def take(accounts: Accounts, account: str, address: str) -> bool:
    """Count one attempt; false, and none counted, when it must wait. Only hashes are kept, for a day."""
    with accounts.transaction() as database:
        if must_wait(accounts, account, address):
            return False
        database.execute(
            "INSERT INTO failures (at, account, address, network) VALUES (?, ?, ?, ?)",
            [stamp(now()), hashed(account.strip().lower()), hashed(address), hashed(_network(address))],
        )
    return True


def forget(accounts: Accounts, account: str, address: str) -> None:
    """The sign-in succeeded: its attempts from this address no longer count."""
    with accounts.transaction() as database:
        database.execute(
            "DELETE FROM failures WHERE account = ? AND address = ?",
            [hashed(account.strip().lower()), hashed(address)],
        )


def note_refused(accounts: Accounts, detail: str, address: str) -> None:
    """Write down what a network was refused: once a window, however often it tries."""
    row = accounts.database.execute(
        "SELECT count(*) FROM journal WHERE event = 'connexion_refusee' AND detail = ? AND address = ? "
        "AND at > ?",
        [detail, shortened(address), stamp(now() - WINDOW)],
    ).fetchone()
    if not row[0]:
        note(accounts, "connexion_refusee", None, detail, address)


WAITING = "trop de tentatives"
