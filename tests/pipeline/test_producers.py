"""Files under their producers' own names: recognised, and each value read by hand in their bytes."""

from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.origin import origin_of
from odds_pipeline.reception.reading import read
from odds_pipeline.reception.recognition import Match, recognise
from odds_pipeline.reception.tables import open_tables

AIDE = "aide_sociale_drees/Les bénéficiaires de l'aide sociale départementale - séries longues (1996-2020).xlsx"
DEPENSES = (
    "aide_sociale_drees/Les dépenses d'aide sociale départementale - séries longues (1999 - 2020).xlsx"
)
MINIMA = "aide_sociale_drees/Minima sociaux - donnees departementales par dispositif.xlsx"
APA = "aide_sociale_drees/APA - Données détaillées par GIR, âge et sexe en 2019.xlsx"
RPLS = "rpls/reexport_2016/rpls_aggrege_large.csv"
TCRD = "insee_dep/TCRD_024.xls"
ESTIM = "insee_pop/estim-pop-dep-sexe-gca-2019.xls"
LOCALES = "sante/insee_statistiques_locales_departements/health_anova_regression.csv"
LOVAC = "lovac/2025/lovac-opendata-communes.csv"
LOYERS = "loyers/2018/indicateurs-loyers-appartements.csv"
NEET = "observatoire_territoires/neet_dpt_2018.csv"
LEGALES = "insee_pop/populations_legales_{}/donnees_communes.csv"

# File, variable, territory, month, value: read by a person in the sheet or in the line that is named.
BY_HAND = [
    (AIDE, "conseil_general.apa_domicile", "93", "2020-12", 16348),  # Tab5-pa, line 103
    (AIDE, "conseil_general.apa_domicile", "FR", "2020-12", 781921),  # Tab5-pa, line 112
    (AIDE, "conseil_general.apa_etablissement", "93", "2018-12", 6698),  # Tab6-pa
    (AIDE, "conseil_general.ash_personnes_agees", "93", "2019-12", 2431),  # Tab10-pa
    (AIDE, "conseil_general.aide_menagere_personnes_agees", "93", "2020-12", 62),  # Tab12-pa
    (AIDE, "conseil_general.pch", "93", "2006-12", 34),  # Tab7-ph, line 103
    (AIDE, "conseil_general.pch", "FR", "2008-12", 80484),  # Tab7-ph, line 112
    (AIDE, "conseil_general.actp", "93", "2020-12", 1421),  # Tab4-ph
    (AIDE, "conseil_general.enfants_confies", "93", "2020-12", 5340),  # Tab2-ase
    (AIDE, "conseil_general.enfants_confies_judiciaire", "93", "2002-12", 2493),  # Tab10-ase, line 103
    (AIDE, "conseil_general.enfants_confies_judiciaire", "FR", "2020-12", 140204),  # line 112, again 138
    (AIDE, "conseil_general.aemo", "93", "2015-12", 2924),  # Tab8-ase, line 103
    (DEPENSES, "conseil_general.depense_aide_sociale", "93", "2019-12", 1377049879.1),  # k€ 1377049.8791
    (DEPENSES, "conseil_general.depense_rsa", "FR", "2019-12", 11168110390.44),  # RSA-RMI tab3, line 15
    (MINIMA, "caf.aah", "93", "1995-12", 9304),  # Tableau 1, line 97
    (MINIMA, "caf.aah", "93", "2016-12", 24005),  # not 25,388, which is of the column 2016 (1)
    (MINIMA, "caf.foyers_aah", "93", "2019-12", 27496),
    (MINIMA, "caf.foyers_rsa", "93", "2015-12", 82757),  # Tableau 11, line 101: RSA socle
    (MINIMA, "caf.foyers_rsa", "93", "2019-12", 85825),
    (MINIMA, "caf.personnes_rsa", "93", "2019-12", 177550),  # Tableau 14, line 100
    (APA, "conseil_general.apa_domicile_gir_2", "93", "2019-12", 3028),  # APA par GIR, line 106
    (APA, "conseil_general.apa_domicile_85_plus", "93", "2019-12", 4024 + 2417 + 812),  # APA par age
    (ESTIM, "insee.pop_60_plus", "93", "2019-01", 194156 + 83803),
    (RPLS, "drihl.logements_sociaux", "93001", "2016-01", 12666),  # line 39, Parc_HLM
    (RPLS, "drihl.rpls_qpv", "93", "2016-01", 139205),  # line 44, Parc_en_qpv
    (RPLS, "drihl.rpls_t5_plus", "93", "2016-01", 15355),
    (RPLS, "drihl.logements_sociaux", "FM", "2016-01", 4776535),  # line 151, TypeZone France
    (TCRD, "insee.taux_pauvrete_moins_30", "93", "2014-12", 31.1),  # DEP, line 98
    (TCRD, "insee.taux_pauvrete_75_plus", "FM", "2014-12", 8.6),  # line 101, M
    (TCRD, "insee.taux_pauvrete", "11", "2014-12", 15.6),  # REG, line 12; not 17.5, of region 93
    (ESTIM, "insee.pop_75_plus", "93", "2019-01", 83803),
    (ESTIM, "insee.population", "FR", "2019-01", 66992699),  # line 105, and not 64,812,052 of line 98
    (LOCALES, "insee.esperance_vie_hommes", "93", "2024-12", 80.5),
    (LOVAC, "drihl.logements_vacants_2_ans", "93001", "2025-01", 1501),
    (LOYERS, "drihl.loyer_appartement", "93001", "2018-09", 17.50916682),  # year of the folder
    (NEET, "insee.part_jeunes_non_inseres", "93", "2018-01", 20.1),
    (LEGALES.format(2019), "insee.population_municipale", "93001", "2019-01", 88948),
    (LEGALES.format(2020), "insee.population_municipale", "93001", "2020-01", 89401),
    (LEGALES.format(2021), "insee.population_municipale", "93001", "2021-01", 90071),
    ("qpv/data_DEMO_2020_V1_QP.csv", "caf.enfants_couverts_qpv", "93", "2020-12", 193726),
]

Figures = dict[tuple[str, str, str], float]


def figures_of(project: Project, path: Path) -> Figures:
    """What the contracts read in a file: variable, territory and month → value."""
    found: Figures = {}
    for table in open_tables(path.name, path.read_bytes()):
        outcome = recognise(project, table.beside(origin_of(path).told))
        if isinstance(outcome, Match):
            frame = read(project, outcome).frame
            assert not frame.duplicated(["variable", "territory", "month", "level"]).any()
            keys = zip(frame["variable"], frame["territory"], frame["month"], strict=True)
            found |= dict(zip(keys, frame["value"], strict=True))
    return found


@pytest.fixture(scope="module")
def read_files(project: Project, producers: Path) -> dict[str, Figures]:
    return {name: figures_of(project, producers / name) for name in dict.fromkeys(r[0] for r in BY_HAND)}


@pytest.mark.parametrize(("file", "variable", "territory", "month", "value"), BY_HAND)
def test_a_value_read_by_hand(
    read_files: dict[str, Figures], file: str, variable: str, territory: str, month: str, value: float
) -> None:
    assert read_files[file][variable, territory, month] == pytest.approx(value)


def test_the_totals_of_a_workbook_agree_with_the_total_that_it_gives(
    read_files: dict[str, Figures],
) -> None:
    """Tab4-pa is not read: at home and in homes, 16,348 + 6,042, make the 22,390 that it gives for 2020."""
    read = read_files[AIDE]
    parts = [
        read[f"conseil_general.apa_{where}", "93", "2020-12"] for where in ("domicile", "etablissement")
    ]
    assert sum(parts) == 22390


# Files that could not be had: made exactly as their documentation says, figures included where it gives them.
DOCUMENTED = {
    "s_ben_com_f.csv": (
        # A real export's header: order and columns follow what was asked for.
        "dtreffre;numcomdo;nomcom;indfoy_rsa;indmtt_rsa;indfoy_ppa;indmtt_ppa\n"
        "2024-12;93008;BOBIGNY;5000;2700000;5005;910000\n"
        "2024-12;33063;BORDEAUX;9260;4996200;26745;4719400\n"
        "2024-12;;;75;40000;20;3000\n",
        {
            ("caf.foyers_rsa", "93008", "2024-12"): 5000,
            ("caf.montant_prime_activite", "93008", "2024-12"): 910000,
        },
    ),
    "s_ben_com_f (1).csv": (
        "Date référence;Numéro commune;Nom commune;Nombre foyers NDUR;Nombre personnes NDUR;Montant total NDUR;"
        "Nombre foyers RSA;Nombre foyers PPA\n202312;93066;SAINT-DENIS;17610;35920;900000;2790;5005\n",
        {
            ("caf.personnes_couvertes", "93066", "2023-12"): 35920,
            ("caf.foyers_rsa", "93066", "2023-12"): 2790,
        },
    ),
    "ndur_s_qf_400_com_f.csv": (
        "dtreffre;numcomdo;nomcom;qf_400;indfoy_ndur;indnbp_ndur\n"
        "2024-12;93001;AUBERVILLIERS;Moins de 400 euros;4010;9000\n"
        "2024-12;93001;AUBERVILLIERS;Entre 400 et 799 euros;6005;15000\n"
        "2024-12;93001;AUBERVILLIERS;4000 euros ou plus;15;40\n",
        {
            ("caf.foyers_qf_400", "93001", "2024-12"): 4010,
            ("caf.foyers_qf_800", "93001", "2024-12"): 10015,
        },
    ),
    "nbpla_pe_com.csv": (
        "annee;numcom;nomcom;numdep;nomdep;nomregi;pl_eaje_com;pl_psu_col_com;pl_hors_psu_col_com;"
        "pl_prescol_com;pl_ind_com;pl_am_ind_com;pl_gad_ind_com;tot_offre_com\n"
        "2023;93048;MONTREUIL;93;SEINE-SAINT-DENIS;ILE-DE-FRANCE;1500;1200;300;20;900;850;50;2420\n"
        "2023;XXXXX;XXX;XX;XXX;XXX;1;1;1;1;1;1;1;9\n",
        {
            ("caf.capacite_theorique", "93048", "2023-12"): 2420,
            ("caf.places_psu", "93048", "2023-12"): 1200,
        },
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_file_made_as_documented(project: Project, tmp_path: Path, name: str) -> None:
    content, values = DOCUMENTED[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = figures_of(project, tmp_path / name)
    assert {key: found[key] for key in values} == values
    assert not [territory for _, territory, _ in found if not territory.startswith("93")]
