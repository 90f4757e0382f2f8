"""Search forgives accents, case and typing errors, and finds nothing one may not see."""

import re

import pytest

from .conftest import Site


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("population municipale", "population_municipale"),
        ("POPULATION MUNICIPALE", "population_municipale"),
        ("populasion municipal", "population_municipale"),
        ("foyers alocataires", "foyers_allocataires"),
        ("la population de la commune", "population_municipale"),
    ],
)
def test_indicators(site: Site, words: str, found: str) -> None:
    answer = site.client("ccas").get("/api/v1/recherche", params={"q": words}).json()
    assert found in answer["indicateurs"][:12]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("bobigny", "93008"),
        ("bobgny", "93008"),
        ("epinay", "93031"),
        ("Épinay-sur-Seine", "93031"),
        ("st denis", "93066"),
        ("93008", "93008"),
        ("ile saint denis", "93039"),
        ("est ensemble", "200057875"),
    ],
)
def test_territories(site: Site, words: str, code: str) -> None:
    assert code in site.client().get("/api/v1/recherche", params={"q": words}).json()["territoires"][:3]


@pytest.mark.parametrize(
    "words", ["%", "'", '"; DROP TABLE definitions', "\x00", "🙂", "de la", "x" * 200]
)
def test_odd_words_do_no_harm(site: Site, words: str) -> None:
    assert site.client().get("/api/v1/recherche", params={"q": words}).status_code == 200
    assert site.client().get("/recherche", params={"q": words}).status_code == 200


def test_a_word_is_not_taken_for_a_place_that_begins_alike(site: Site) -> None:
    answer = site.client().get("/api/v1/recherche", params={"q": "dentiste"}).json()
    assert answer["territoires"] == []


def test_every_level_has_french_words() -> None:
    from odds_pipeline.declarations.feed import LEVELS
    from odds_pipeline.french import LEVELS as WORDS
    from odds_pipeline.french import LEVELS_PLURAL

    assert set(WORDS) == set(LEVELS_PLURAL) == set(LEVELS)


ASKED = """
sdf | domiciliations_pour_1000
sans abri | domiciliations_pour_1000
SDF Bobigny | domiciliations_pour_1000 | 93008
pauvreté des enfants Bobigny | part_enfants_bas_revenus | 93008
enfants pauvres | part_enfants_bas_revenus
pauvreté | taux_pauvrete
pauvreté Clichy-sous-Bois | taux_pauvrete | 93014
taux de pauvreté | taux_pauvrete
seniors | part_65_ans_plus
personnes âgées Montreuil | part_65_ans_plus | 93048
mal-logement | taux_suroccupation
habitat indigne | part_potentiellement_indigne
APL | part_population_aide_logement
APL Aubervilliers | part_population_aide_logement | 93001
aides au logement | part_population_aide_logement
crèche | capacite_accueil_pour_100
crèches Pantin | capacite_accueil_pour_100 | 93055
mode de garde | capacite_accueil_pour_100
mineurs | part_moins_18_ans
illettrisme | part_sans_diplome
sans diplôme | part_sans_diplome
RSA Bobigny | part_rsa_decembre | 93008
RSA | part_rsa_decembre
chômage | taux_chomage_rp
chômeurs Saint-Denis | taux_chomage_rp | 93066
chômage des jeunes | taux_chomage_rp_jeunes
NEET | part_jeunes_non_inseres
décrochage | part_jeunes_non_inseres
mères seules | part_familles_monoparentales
familles monoparentales Le Raincy | part_familles_monoparentales | 93062
familles nombreuses | part_familles_nombreuses
isolement | part_menages_une_personne
handicap | aah_pour_1000
AAH | aah_pour_1000
CMU | taux_c2s
médecins Épinay | apl_generalistes | 93031
désert médical | apl_generalistes
médecin traitant | part_sans_medecin_traitant
maison de retraite | places_ehpad_pour_1000
HLM | logements_sociaux
logement social | logements_sociaux
demande de logement | demandes_pour_100_menages
expulsions | expulsions_effectives
impayés | part_impayes
précarité énergétique | precarite_energetique_pour_100
loyers Noisy-le-Sec | loyer_annonce_appartement | 93053
suroccupation | taux_suroccupation
revenus L'Île-Saint-Denis | niveau_vie_median | 93039
inégalités | rapport_interdecile
quartiers prioritaires | part_population_qpv
brevet | taux_reussite_dnb
protection de l'enfance | enfants_confies_pour_1000
habitants Bagnolet | population_municipale | 93006
naissances | naissances_domiciliees
permis de construire | logements_autorises
logements vacants | part_logements_vacants
vieux isolés | part_80_plus_seuls
personnes agées seules Pantin | part_80_plus_seuls | 93055
retraités pauvres | taux_pauvrete_75_plus
RSA jeunes | part_rsa_moins_25
chômage de longue durée | part_longue_duree
mères célibataires Aulnay | part_familles_monoparentales | 93005
marchands de sommeil | part_potentiellement_indigne
prix immobilier Montreuil | prix_median_appartement | 93048
facture EDF | precarite_energetique_pour_100
dentiste | apl_generalistes
violences conjugales | violences_intrafamiliales_pour_1000
illectronisme | part_centres_numerique
échec scolaire | part_jeunes_non_inseres
aide à domicile | apa_domicile_pour_1000
mères célibataires | part_familles_monoparentales
IPS collège Drancy | ips_moyen_colleges | 93029
prix des maisons Villemomble | prix_m2_ventes | 93077
"""


def test_fifty_queries_in_the_words_of_those_who_ask(site: Site) -> None:
    """What a person looks for comes first among what exists; the town is told from the subject."""
    client, wrong = site.client("observatoire"), []
    values = set(site.app.state.serving.view(site.people["observatoire"].organisation.rights).valued)
    lines = [line.split(" | ") for line in ASKED.strip().splitlines()]
    assert len(lines) >= 50
    for words, indicator, *code in lines:
        page = client.get("/recherche", params={"q": words}).text
        links = re.findall(r'href="/indicateurs/(\w+)(?:\?territoire=(\w+))?"', page)
        first = [name for name, _ in links]
        # Those that have a value in this small observatory come before those that have none.
        before = first[: first.index(indicator)] if indicator in first else None
        if before is None or any(name not in values for name in before):
            wrong.append((words, first[:4]))
        elif code and (indicator, code[0]) not in links:
            wrong.append((words, links[:2]))
    assert not wrong


def test_what_is_not_published_is_said_and_the_nearest_named(site: Site) -> None:
    page = (
        site.client("observatoire").get("/recherche", params={"q": "pauvreté des enfants Bobigny"}).text
    )
    assert "n’est pas diffusé par commune" in page and "part_enfants_bas_revenus" in page
    outsider = site.client().get("/recherche", params={"q": "SDF"}).text
    assert "n’est pas connu par commune" in outsider and "Rien ne correspond" in outsider


def test_results_bear_the_value_of_the_town(site: Site) -> None:
    page = site.client().get("/recherche", params={"q": "habitants Bobigny"}).text
    value = site.client().get("/indicateurs/population_municipale?territoire=93008").text
    shown = re.search(r'class="key">.*?class="number">([^<]+)<', value, re.DOTALL)
    assert shown is not None and f'class="number">{shown.group(1)}<' in page


def test_a_member_who_names_no_place_reads_the_values_of_their_own(site: Site) -> None:
    member, visitor = (site.client(r).get("/recherche?q=population").text for r in ("ccas", "visiteur"))
    assert "Indicateurs : Bobigny" in member and "population_municipale?territoire=93008" in member
    assert "Indicateurs : Bobigny" not in visitor and "davantage d’indicateurs" in visitor
    named = site.client("ccas").get("/recherche?q=population+Pantin").text
    assert "Indicateurs : Pantin" in named and "93008" not in named
