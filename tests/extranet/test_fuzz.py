"""The API fuzzed from its own OpenAPI document: never a 500, every answer as documented."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from .conftest import Site

pytestmark = pytest.mark.slow

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_the_api_answers_as_documented(site: Site) -> None:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", site.app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 6
    for operation in operations:

        @given(case=operation.as_strategy())
        @BOUNDED
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(
                checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
            )

        check()


PARAMETERS = ("q", "t", "theme", "mois", "niveau", "territoire", "next", "code", "state")


@given(
    path=st.sampled_from(
        [
            "/territoires/{}",
            "/indicateurs/{}",
            "/themes/{}",
            "/editions/{}",
            "/donnees/{}",
            "/gestion/{}",
            "/telecharger/territoire/{}",
            "/telecharger/indicateur/{}",
            "/telecharger/comparaison.{}",
            "/invitation/{}",
            "/connexion/{}",
            "/connexion/{}/retour",
            "/comparer",
            "/recherche",
            "/indicateurs/population_municipale",
            "/donnees/schemas/{}.json",
            "/static/{}",
        ]
    ),
    piece=st.text(max_size=30),
    query=st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=30), max_size=4),
)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_page_fails_on_odd_addresses(
    site: Site, path: str, piece: str, query: dict[str, str]
) -> None:
    from urllib.parse import quote

    client = site.client("observatoire-admin")
    address = path.format(quote(piece, safe="", errors="replace") or "x")
    assert client.get(address, params=query).status_code < 500, (address, query)


@given(fields=st.dictionaries(st.sampled_from(["email", "password", "next", "name", "access", "siret", "partners", "new", "label"]), st.text(max_size=60), max_size=6))  # fmt: skip
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_form_fails_on_odd_fields(site: Site, fields: dict[str, str]) -> None:
    client = site.client("observatoire-admin")
    organisation = site.people["ccas"].organisation.id
    for address in ("/gestion", f"/gestion/{organisation}", "/compte/jetons"):
        assert client.post(address, data=fields).status_code < 500, (address, fields)


def test_forms_that_are_no_forms(site: Site) -> None:
    client = site.client("observatoire-admin")
    for content in (b"", b"\xff\xfe", b"a" * 10_000, b"email=%ff%fe&name=%00"):
        for kind in ("application/x-www-form-urlencoded", "application/json", "multipart/form-data"):
            headers = {"content-type": kind}
            for address in ("/connexion", "/gestion", "/compte/jetons"):
                answer = client.post(address, content=content, headers=headers)
                assert answer.status_code < 500, (address, kind, content[:20])
