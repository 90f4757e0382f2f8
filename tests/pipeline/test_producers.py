"""Files under their producers' own names: recognised, and each value read by hand in their bytes."""

from pathlib import Path

import openpyxl
import pytest

from odds_pipeline.declarations.project import Project
from odds_pipeline.reception.origin import origin_of
from odds_pipeline.reception.reading import read
from odds_pipeline.reception.recognition import recognise_all
from odds_pipeline.reception.tables import open_tables

AIDE = "aide_sociale_drees/Les bénéficiaires de l'aide sociale départementale - séries longues (1996-2020).xlsx"
DEPENSES = (
    "aide_sociale_drees/Les dépenses d'aide sociale départementale - séries longues (1999 - 2020).xlsx"
)
MINIMA = "aide_sociale_drees/Minima sociaux - donnees departementales par dispositif.xlsx"
PERSONNEL = "aide_sociale_drees/Le personnel départemental de l'action sociale et médico-sociale de 2014 à 2020.xlsx"
OARSA = "aide_sociale_drees/OARSA – Principaux indicateurs de 2015 à 2018.xlsx"
APA = "aide_sociale_drees/APA - Données détaillées par GIR, âge et sexe en 2019.xlsx"
APA_2014 = APA.replace("2019", "2014")
FILOSOFI = "filosofi/xls/base-cc-filosofi-2014.xls"
RPLS = "rpls/reexport_2016/rpls_aggrege_large.csv"
TCRD = "insee_dep/TCRD_024.xls"
ESTIM = "insee_pop/estim-pop-dep-sexe-gca-2019.xls"
LOCALES = "sante/insee_statistiques_locales_departements/health_anova_regression.csv"
LOVAC = "lovac/2025/lovac-opendata-communes.csv"
DVF = "dvf/dvf2023.csv"
LOYERS = "loyers/2018/indicateurs-loyers-appartements.csv"
CHOMAGE = "emploi/chomage_localise/sl_etc_2023T4.xls"
NEET = "observatoire_territoires/neet_dpt_2018.csv"
HONORAIRES = (
    "sante/cnam_honoraires_2016/"
    "Honoraires_totaux_des_professionnels_de_sante_par_departement_en_2016.xls"
)
MENSUEL = "aide_sociale_drees/Données mensuelles des prestations de solidarité.xlsx"
LYCEES = "education/ips_lycees_2022/fr-en-ips-lycees-ap2022.csv"
IVAL = "education/ival_2024/ival-2024-154664.xlsx"
IPS_LYCEES = "education/ips_lycees_2016-2021/entete_technique/fr-en-ips_lycees.csv"
AGREGATS = "loyers/reexport_2025/agg_comm_qlog_93_59.csv"
CRIME = "securite/reexport_dep_2024/donnee-dep-data.gouv-2024-geographie2025-produit-le2025-06-04.csv"
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
    (MINIMA, "caf.aah", "FR", "2019-12", 1221500),  # Tableau 1, line 107
    (
        MINIMA,
        "caf.foyers_rsa",
        "FR",
        "2011-12",
        1589300,
    ),  # Tableau 11, line 111; 2009 and 2010 are dashes
    (MINIMA, "caf.allocataires_ass", "93", "2019-12", 12370),  # Tableau 6, line 98
    (MINIMA, "caf.allocataires_ass", "FR", "1995-12", 498500),  # line 110, and not 485,800 of line 101
    (MINIMA, "caf.allocataires_aspa", "93", "2009-12", 12230),  # Tableau 7, line 98, column 2009**
    (
        MINIMA,
        "caf.allocataires_aspa",
        "FR",
        "2019-12",
        598030,
    ),  # line 107; 601,600 is by place of the fund
    (MINIMA, "caf.allocataires_ada", "93", "2015-12", 5792),  # Tableau 4, line 98, column 2015 (1)
    (MINIMA, "caf.allocataires_minima", "93", "2016-12", 141800),  # Tableau 13; not 144,500, of 2016 (2)
    (DEPENSES, "conseil_general.depense_placements", "93", "2019-12", 234697444.37),  # ASE-tab6, line 12
    (DEPENSES, "conseil_general.depense_actp", "FR", "2019-12", 369337798.57),  # PH-tab4, line 15
    (DEPENSES, "conseil_general.depense_ash_personnes_agees", "93", "2018-12", 29816662.17),  # PA-tab7
    (AIDE, "conseil_general.pch_moins_20", "93", "2020-12", 832),  # Tab7c-ph, line 103
    (AIDE, "conseil_general.placements_directs", "FR", "2020-12", 15615),  # Tab5-ase, line 112
    (AIDE, "conseil_general.foyers_vie_handicap", "93", "2019-12", 811),  # Tab8b-ph, line 103
    (PERSONNEL, "conseil_general.assistants_familiaux", "93", "2020-12", 518),  # line 101
    (PERSONNEL, "conseil_general.etp_social", "FR", "2019-12", 29608.8),  # line 110: Mayotte is line 111
    (OARSA, "conseil_general.part_rsa_orientes", "93", "2015-12", 67),  # Tableau B1
    (OARSA, "conseil_general.delai_cer", "93", "2018-12", 57),  # Tableau B14
    (APA, "conseil_general.apa_domicile_gir_2", "93", "2019-12", 3028),  # APA par GIR, line 106
    (APA, "conseil_general.apa_domicile_85_plus", "93", "2019-12", 4024 + 2417 + 812),  # APA par age
    (APA_2014, "conseil_general.apa_domicile_gir_3", "93", "2014-12", 3565),  # APA par GIR, line 104
    (APA_2014, "conseil_general.apa_domicile_85_plus", "93", "2014-12", 6162),  # not 3,667, in homes
    (FILOSOFI, "insee.taux_pauvrete", "93001", "2014-12", 44),  # COM, line 16
    (FILOSOFI, "insee.taux_pauvrete", "93", "2014-12", 28.6),  # DEP, line 100
    (FILOSOFI, "insee.taux_pauvrete", "11", "2014-12", 15.6),  # REG, line 9; not 17.5, of region 93
    (FILOSOFI, "insee.taux_pauvrete", "FM", "2014-12", 14.7),  # METRO, whose code is 1
    (FILOSOFI, "insee.part_menages_imposes", "93051", "2014-12", 66),
    (FILOSOFI, "insee.part_revenus_activite", "93008", "2014-12", 76),  # PRA14, PACT from 2015
    (ESTIM, "insee.pop_60_plus", "93", "2019-01", 194156 + 83803),
    (RPLS, "drihl.rpls_logements", "93001", "2016-01", 12666),  # line 39, Parc_HLM
    (RPLS, "drihl.rpls_qpv", "93", "2016-01", 139205),  # line 44, Parc_en_qpv
    (RPLS, "drihl.rpls_t5_plus", "93", "2016-01", 15355),
    (RPLS, "drihl.rpls_logements", "FM", "2016-01", 4776535),  # line 151, TypeZone France
    (TCRD, "insee.taux_pauvrete_moins_30", "93", "2014-12", 31.1),  # DEP, line 98
    (TCRD, "insee.taux_pauvrete_75_plus", "FM", "2014-12", 8.6),  # line 101, M
    (TCRD, "insee.taux_pauvrete", "11", "2014-12", 15.6),  # REG, line 12; not 17.5, of region 93
    (ESTIM, "insee.pop_75_plus", "93", "2019-01", 83803),
    (ESTIM, "insee.population", "FR", "2019-01", 66992699),  # line 105, and not 64,812,052 of line 98
    (LOCALES, "insee.esperance_vie_hommes", "93", "2024-12", 80.5),
    (DVF, "drihl.ventes", "93008", "2023-12", 212),
    (DVF, "drihl.prix_m2_ventes", "93059", "2023-12", 3278.16091954023),  # in the communes of 2024
    (DVF, "drihl.ventes", "93066", "2023-12", 725),
    (LOVAC, "drihl.logements_vacants_2_ans", "93001", "2025-01", 1501),
    (LOVAC, "drihl.logements_vacants_2_ans", "93001", "2020-01", 590),  # the last of its years
    (LOVAC, "drihl.logements_prives", "93001", "2024-01", 23359),
    (LOYERS, "drihl.loyer_appartement", "93001", "2018-09", 17.50916682),  # year of the folder
    (NEET, "insee.part_jeunes_non_inseres", "93", "2018-01", 20.1),
    (CHOMAGE, "insee.taux_chomage_localise", "93", "2023-12", 10.6),  # Département, T4_2023
    (CHOMAGE, "insee.taux_chomage_localise", "93", "1982-03", 6.9),
    (
        CHOMAGE,
        "insee.taux_chomage_localise",
        "11",
        "2023-12",
        7.2,
    ),  # Région; 93 there is 8.2, of another
    (CHOMAGE, "insee.taux_chomage_localise", "FM", "2023-12", 7.3),  # two rows have code 00
    (CHOMAGE, "insee.taux_chomage_localise", "FR", "2023-12", 7.5),
    (LEGALES.format(2019), "insee.population_municipale", "93001", "2019-01", 88948),
    (LEGALES.format(2020), "insee.population_municipale", "93001", "2020-01", 89401),
    (LEGALES.format(2021), "insee.population_municipale", "93001", "2021-01", 90071),
    (MENSUEL, "caf.foyers_rsa", "FR", "2017-01", 1895900),  # Tableau 1, line 7
    (MENSUEL, "caf.foyers_prime_activite", "FR", "2020-05", 4538700),  # line 47
    (MENSUEL, "caf.foyers_aide_logement", "FR", "2020-05", 6175700),
    (HONORAIRES, "cpam.generalistes", "93", "2016-12", 856),  # Généralistes et MEP, line 4
    (HONORAIRES, "cpam.specialistes", "93", "2016-12", 861),  # Spécialistes, line 310
    (HONORAIRES, "cpam.psychiatres", "FR", "2016-12", 6094),  # line 277, of many of France
    (HONORAIRES, "cpam.kinesitherapeutes", "FR", "2016-12", 63727),  # Auxiliaires médicaux, line 13
    (LYCEES, "inspection_academique.lyceens", "93001", "2022-09", 692 + 1052 + 442 + 826),
    (LYCEES, "inspection_academique.lyceens", "93", "2022-09", 60189),  # 92 lycées, by awk
    # Sheet LGT, lines 3 to 5: three lycées of Aubervilliers, two of which have more than a few candidates.
    (IVAL, "inspection_academique.presents_bac_gt", "93001", "2023-09", 682),
    # Four lycées of Aubervilliers, weighted by their pupils.
    (
        LYCEES,
        "inspection_academique.ips_lycees",
        "93001",
        "2022-09",
        (75.5 * 692 + 79.3 * 1052 + 76 * 442 + 80.7 * 826) / 3012,
    ),
    (
        IPS_LYCEES,
        "inspection_academique.ips_lycees",
        "93001",
        "2016-09",
        (77.8 + 71.4 + 80.6 + 72.7 + 90.3) / 5,
    ),
    # Sheets LGT and LP, by pupils of the second: access is not success at the examination.
    (
        IVAL,
        "inspection_academique.taux_acces_bac_gt",
        "93001",
        "2023-09",
        (83 * 272 + 80 * 368 + 76 * 21) / 661,
    ),
    (IVAL, "inspection_academique.taux_acces_bac_pro", "93001", "2023-09", (43 * 207 + 56 * 195) / 402),
    (AGREGATS, "drihl.loyer_appartement_1_2", "93001", "2025-09", 22.6350707422825),
    (AGREGATS, "drihl.loyer_maison", "93066", "2025-09", 17.9631491909191),
    (AGREGATS, "drihl.prix_median_appartement", "93066", "2024-12", 3973),
    (LOCALES, "insee.taux_pauvrete", "93", "2021-12", 28.4),
    (LOCALES, "insee.niveau_vie_median", "93", "2021-12", 19020),
    (IVAL, "inspection_academique.presents_bac_pro", "93", "2023-09", 5220),  # sheet LP, added
    # A copy that writes decimals with points, where the producer's own file has commas.
    (CRIME, "prefecture.violences_intrafamiliales", "93", "2024-12", 8269),
    (CRIME, "prefecture.taux_violences_sexuelles", "93", "2024-12", 1.9010242),
    ("qpv/data_DEMO_2020_V1_QP.csv", "caf.enfants_couverts_qpv", "93", "2018-12", 193726),
]

Figures = dict[tuple[str, str, str], float]


def figures_of(project: Project, path: Path) -> Figures:
    """What the contracts read in a file: variable, territory and month → value."""
    found: Figures = {}
    for table in open_tables(path.name, path.read_bytes()):
        outcome = recognise_all(project, table.beside(origin_of(path).told))
        for match in outcome if isinstance(outcome, list) else []:
            frame = read(project, match).frame
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


def test_a_distribution_with_part_of_it_unknown_is_not_read(project: Project, producers: Path) -> None:
    """In 2018 the GIR of 4,262 of 17,428 is unknown; the homes' own column has the name looked for."""
    read = figures_of(project, producers / APA.replace("2019", "2018"))
    assert not [variable for variable, _, _ in read if "gir" in variable]


def test_the_totals_of_a_workbook_agree_with_the_total_that_it_gives(
    read_files: dict[str, Figures],
) -> None:
    """Tab4-pa is not read: at home and in homes, 16,348 + 6,042, make the 22,390 that it gives for 2020."""
    read = read_files[AIDE]
    parts = [
        read[f"conseil_general.apa_{where}", "93", "2020-12"] for where in ("domicile", "etablissement")
    ]
    assert sum(parts) == 22390


GENERALISTES = "Médecins généralistes (hors médecins à expertise particulière - MEP)"
AGES = ("de 60 à 64 ans", "de 65 à 69 ans", "70 ans et plus", "Tout âge")

ACTIVITY = (
    "POP1564 POP1524 POP2554 H1564 F1564 ACT1564 ACT1524 ACT2554 ACT5564 HACT1564 FACT1564 ACTOCC1564 "
    "ACTOCC1524 ACTOCC2554 ACTOCC5564 FACTOCC1564 HACTOCC1564 CHOM1564 INACT1564 ETUD1564 RETR1564 AINACT1564"
).split()

# Files that could not be had: made exactly as their documentation says, figures included where it gives them.
DOCUMENTED = {
    # Columns and codes as Insee's own files have them; figures of no one.
    "DS_FILOSOFI_CC_2023_data.csv": (
        "GEO;GEO_OBJECT;FILOSOFI_MEASURE;UNIT_MEASURE;UNIT_MULT;CONF_STATUS;OBS_STATUS;TIME_PERIOD;OBS_VALUE\n"
        + "".join(
            f"{place};{kind};{measure};X;0;{conf};A;2023;{value}\n"
            for place, kind, measure, conf, value in (
                ("93001", "COM", "MED_SL", "F", "16000"),
                ("93001", "COM", "PR_MD60", "F", "41.2"),
                ("93015", "COM", "PR_MD60", "C", ""),
                ("93", "DEP", "PR_MD60", "F", "27.9"),
                ("93", "REG", "PR_MD60", "F", "17.4"),  # Provence-Alpes-Côte d'Azur
                ("11", "REG", "D1_SL", "F", "11000"),
                ("FM", "FRANCE", "PR_MD60", "F", "15.4"),
                ("200054781", "EPCI", "PR_MD60", "F", "20"),
                ("93001", "COM", "D9_SL", "F", ""),
            )
        ),
        {
            ("insee.niveau_vie_median", "93001", "2023-12"): 16000,
            ("insee.taux_pauvrete", "93001", "2023-12"): 41.2,
            ("insee.taux_pauvrete", "93", "2023-12"): 27.9,
            ("insee.niveau_vie_d1", "11", "2023-12"): 11000,
        },
    ),
    # Occupations bear other names from 2022 on, and have a total of their own.
    "base-cc-emploi-pop-active-2022.CSV": (
        "CODGEO;C22_ACT1564;C22_ACT1564_STAT_GSEC13_23;C22_ACT1564_STAT_GSEC16_26;"
        + ";".join(f"P22_{column}" for column in ACTIVITY)
        + "\n93001;40000.5;5200;9600.25"
        + ";100" * len(ACTIVITY)
        + "\n",
        {
            ("insee.actifs_15_64_compl", "93001", "2022-01"): 40000.5,
            ("insee.actifs_cadres_15_64", "93001", "2022-01"): 5200,
            ("insee.actifs_ouvriers_15_64", "93001", "2022-01"): 9600.25,
        },
    ),
    "base-cc-emploi-pop-active-2020.CSV": (
        "CODGEO;C20_ACT1564;C20_ACT1564_CS5;"
        + ";".join(f"P20_{column}" for column in ACTIVITY)
        + "\n93001;39000.5;12800"
        + ";100" * len(ACTIVITY)
        + "\n",
        {("insee.actifs_employes_15_64", "93001", "2020-01"): 12800},
    ),
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
    "rsa_s_type_com_f.csv": (
        "dtreffre;numcomdo;nomcom;rsa_type;indfoy_rsa;indnbp_rsa;indmtt_rsa\n"
        "2024-12;93008;BOBIGNY;RSA non majoré;4505;8900;2400000\n"
        "2024-12;93008;BOBIGNY;RSA majoré;495;1510;310000\n"
        "2024-12;33063;BORDEAUX;RSA majoré;700;2000;430000\n",
        {
            ("caf.foyers_rsa", "93008", "2024-12"): 5000,
            ("caf.personnes_rsa", "93008", "2024-12"): 10410,
            ("caf.foyers_rsa_majore", "93008", "2024-12"): 495,
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
    "configfamiliale2014.csv": (
        "Communes;Codes_Insee;NB_Allocataires;COUP_0_ENF;COUP_1_ENF;COUP_2_ENF;COUP_3_ENF;COUP_4plus_ENF;"
        "Homme_Isole;Femme_Isolee;MONO_1_ENF;MONO_2_ENF;MONO_3_ENF;MONO_4plus_ENF\n"
        "BOBIGNY;93008;10900;900;1500;1600;1000;700;2400;1700;500;350;170;80\n"
        "BORDEAUX;33063;60000;1;1;1;1;1;1;1;1;1;1;1\n",
        {
            ("caf.foyers_isoles", "93008", "2014-12"): 4100,
            ("caf.foyers_monoparents", "93008", "2014-12"): 1100,
            ("caf.foyers_couples_3_enfants", "93008", "2014-12"): 1700,
        },
    ),
    "BasrevenuCom2012.csv": (
        "Communes;Codes_Insee;ALL_bas_revenu;Pers_bas_revenu;NB_pers_couv_ress;NB_allocataires\n"
        "BOBIGNY;93008;4200;11000;26000;10900\nCOUBRON;93015;;;900;300\n",
        {("caf.personnes_bas_revenus", "93008", "2012-12"): 11000},
    ),
    "PAJECom2013.csv": (
        "Communes;Codes_Insee;NB_Allocataires;ALL_PAJE;ALL_PRIM;ALL_BASEP;ALL_CMG;ALL_CMG_ASMA;ALL_CMG_DOM;"
        "ALL_CMG_A;ALL_Clca_Colca\nMONTREUIL;93048;20000;4100;160;3400;1300;1000;180;120;300\n",
        {
            ("caf.foyers_cmg_assmat", "93048", "2013-12"): 1000,
            ("caf.foyers_cmg_structure", "93048", "2013-12"): 120,
        },
    ),
    "enfantARS2011.csv": (
        "Communes;Codes_Insee;NB_enfant_ARS;ARS_5A10;ARS_11A14;ARS_15A17\n"
        "MONTREUIL;93048;9000;4300;2900;1800\n",
        {("caf.enfants_ars_15_17", "93048", "2011-12"): 1800},
    ),
    "LOGCom2010.csv": (
        "Communes;Codes_Insee;NB_Allocataires;total_ALF;total_ALS;total_APL;total_locataire;"
        "total_proprietaire;total_allocataires_logement\nMONTREUIL;93048;20000;2000;3000;7000;11700;300;12000\n",
        {("caf.foyers_al_proprietaires", "93048", "2010-12"): 300},
    ),
    "demographie-effectifs-et-les-densites.csv": (
        "annee;profession_sante;region;libelle_region;departement;libelle_departement;classe_age;"
        "libelle_classe_age;libelle_sexe;effectif;densite\n"
        + "".join(
            f"2022;{GENERALISTES};{place};c;{age};tout sexe;{count};\n"
            for place, counts in (
                ("11;IDF;93;SSD", (40, 60, 150, 880)),
                ("99;F;999;F", (1, 2, 3, 50000)),
            )
            for age, count in zip(AGES, counts, strict=True)
        )
        + f"2022;{GENERALISTES};11;IDF;93;SSD;tout_age;Tout âge;femmes;400;2.4\n"
        "2022;Infirmiers;11;IDF;93;SSD;tout_age;Tout âge;tout sexe;1043;62.1\n",
        {
            ("cpam.generalistes", "93", "2022-12"): 880,
            ("cpam.generalistes_60_plus", "93", "2022-12"): 250,
            ("cpam.generalistes", "FR", "2022-12"): 50000,
            ("cpam.infirmiers", "93", "2022-12"): 1043,
        },
    ),
    "demographie-secteurs-conventionnels.csv": (
        "annee;profession_sante;region;libelle_region;departement;libelle_departement;"
        "secteur_conventionnel;libelle_secteur_conventionnel;effectif\n"
        + "".join(
            f"{year};Ensemble des médecins spécialistes (hors généralistes);99;FRANCE;999;FRANCE;{n};"
            f"conventionnés de secteur 2 {has} adhéré à l'Optam/Optam-CO;{count}\n"
            for year, counts in ((2021, (1000, 2000)), (2022, (1200, 2100)))
            for n, has, count in zip((4, 5), ("ayant", "n'ayant pas"), counts, strict=True)
        )
        + "2022;Ensemble des médecins spécialistes (hors généralistes);11;IDF;93;SSD;9;tout secteur compris;800\n"
        "2022;Ensemble des médecins spécialistes (hors généralistes);11;IDF;93;SSD;4;"
        "conventionnés de secteur 2 ayant adhéré à l'Optam/Optam-CO;210\n",
        {
            ("cpam.specialistes_secteur_2", "FR", "2021-12"): 3000,
            ("cpam.specialistes_secteur_2", "FR", "2022-12"): 3300,
            ("cpam.specialistes_secteur_2", "93", "2022-12"): 210,
        },
    ),
    # Figures of Aubervilliers in 2024 as the producer published them; of Coubron, one that it hides.
    "donnee-data.gouv-2025-geographie2026-produit-le2026-06-25.csv": (
        '"CODGEO_2026";"annee";"indicateur";"unite_de_compte";"nombre";"taux_pour_mille";"est_diffuse";"insee_pop";'
        '"insee_pop_millesime";"insee_log";"insee_log_millesime";"complement_info_nombre";"complement_info_taux"\n'
        + "".join(
            f'"93001";"2024";"{kind}";"Victime";"{count}";"1,0";"diff";"89489";"2021";"35000";"2021";NA;NA\n'
            for kind, count in (
                ("Violences physiques intrafamiliales", 410),
                ("Violences sexuelles", 169),
                ("Vols avec armes", 24),
                ("Vols violents sans arme", 383),
                ("Vols sans violence contre des personnes", 2079),
                ("Cambriolages de logement", 423),
                ("Vols de véhicule", 262),
                ("Destructions et dégradations volontaires", 888),
            )
        )
        + '"93015";"2024";"Vols avec armes";"Infraction";NA;NA;"ndiff";"4900";"2021";"2000";"2021";"1,6";"0,3"\n'
        '"33063";"2024";"Vols avec armes";"Infraction";"90";"0,3";"diff";"260000";"2021";"170000";"2021";NA;NA\n',
        {
            ("prefecture.violences_intrafamiliales", "93001", "2024-12"): 410,
            ("prefecture.vols_avec_armes", "93001", "2024-12"): 24,
            ("prefecture.vols_vehicules", "93001", "2024-12"): 262,
            ("prefecture.cambriolages", "93001", "2024-12"): 423,
            ("prefecture.population_delinquance", "93001", "2024-12"): 89489,
        },
    ),
    "FILO2021_DISP_PAUVRES_COM.csv": (
        "CODGEO;LIBGEO;TP4021;TP5021;TP6021;TP60Q221\n"
        "93001;Aubervilliers;8,0;24;42;11360\n93015;Coubron;s;s;s;s\n",
        {
            ("insee.taux_pauvrete_40", "93001", "2021-12"): 8,
            ("insee.taux_pauvrete_50", "93001", "2021-12"): 24,
            ("insee.taux_pauvrete", "93001", "2021-12"): 42,
            ("insee.niveau_vie_median_pauvres", "93001", "2021-12"): 11360,
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
    assert not [
        territory for _, territory, _ in found if not territory.startswith(("93", "FR", "FM", "11"))
    ]


def test_the_zones_of_a_workbook_made_as_documented(project: Project, tmp_path: Path) -> None:
    """Under five lines of titles; a zone of elsewhere is left out."""
    path = tmp_path / "chomage-zone-t1-2003-t4-2024.xlsx"
    book = openpyxl.Workbook()
    sheet = book.create_sheet("txcho_ze")
    for title in (
        "Taux de chômage localisés",
        "France hors Mayotte et Guyane",
        "",
        "Source : Insee",
        "",
    ):
        sheet.append([title])
    sheet.append(["ZE2020", "LIBZE2020", "REG", "LIBREG", "2003-T1", "2024-T3", "2024-T4"])
    sheet.append(["0055", "La Vallée de la Bresle", "28", "NORMANDIE", 9.1, 8.2, 8.4])
    sheet.append(["1109", "Paris", "11", "ILE DE FRANCE", 8.3, 6.4, 6.3])
    sheet.append(["1112", "Roissy", "11", "ILE DE FRANCE", 8.9, 8.6, 8.5])
    book.save(path)
    assert figures_of(project, path) == {
        ("insee.taux_chomage_localise", code, month): value
        for code, values in (("1109", (8.3, 6.4, 6.3)), ("1112", (8.9, 8.6, 8.5)))
        for month, value in zip(("2003-03", "2024-09", "2024-12"), values, strict=True)
    }
