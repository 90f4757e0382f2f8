"""A partner is added as docs/how-to/add-a-partner.md says, and contracts are proposed from real files."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
import yaml
from dagster.components.scaffold.scaffold import get_scaffolder as dg_scaffolder
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.onboarding.declarations import new_feed, new_partner
from odds_pipeline.onboarding.period import CannotPropose
from odds_pipeline.onboarding.proposal import Proposal, propose
from odds_pipeline.orchestration.components.contract import Contract, Sample
from odds_pipeline.reception.matching import Match
from odds_pipeline.reception.reading import read
from odds_pipeline.reception.recognition import recognise
from odds_pipeline.reception.tables import open_tables
from odds_pipeline.release.published import describe, open_release
from odds_pipeline.storage.home import Home

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "how-to" / "add-a-partner.md"
SAMPLES = PAGE.with_suffix("")


def _without(data: Any, names: set[str]) -> Any:
    if isinstance(data, list):
        return [_without(d, names) for d in data if d not in names]
    if isinstance(data, dict):
        return {k: _without(v, names) for k, v in data.items() if k not in names}
    return data


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The observatory's declarations without Pôle emploi and what reads it."""
    root = tmp_path_factory.mktemp("declared") / "project"
    for part in ("assets", "expectations", "resources"):
        shutil.copytree(project_root() / part, root / part)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(project_root() / name, root)
    for part in ("assets/partners", "resources/simulation"):
        shutil.rmtree(root / part / "pole_emploi")
    gone: set[str] = set()
    for path in (root / "assets" / "indicators").glob("*/*.yaml"):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        reads = {n for n, i in data["indicators"].items() if "pole_emploi." in i["formula"]}
        gone |= reads
        if reads == set(data["indicators"]):
            path.unlink()
        elif reads:
            data["indicators"] = _without(data["indicators"], reads)
            path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    for name in ("synonymes", "modeles"):
        (root / "assets" / f"{name}.yaml").unlink()
    portrait = root / "assets" / "portrait_social.yaml"
    data = _without(yaml.safe_load(portrait.read_text(encoding="utf-8")), gone)
    portrait.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return root


@pytest.fixture
def folder(declared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, to write in."""
    root = tmp_path / "project"
    shutil.copytree(declared, root)
    monkeypatch.setenv("ODDS_PROJECT", str(root))
    return root


@pytest.mark.slow
def test_the_page_runs_as_written(folder: Path, home: Home, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 5
    command = tmp_path / "bin" / "odds"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m odds_pipeline.cli "$@"\n')
    command.chmod(0o755)
    paths = {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(CHECKOUT)}
    script = "set -e\n" + "\n".join(blocks)
    ran = subprocess.run(
        ["sh", "-c", script],
        cwd=CHECKOUT,
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# confirm" not in (folder / "assets/partners/pole_emploi/defm_mensuel.yaml").read_text()
    release = describe(home, 1)
    assert release.simulated
    with open_release(home, access="partenaires") as connection:
        found = connection.execute(
            "SELECT DISTINCT indicator, month FROM indicator_values WHERE value IS NOT NULL ORDER BY ALL"
        ).fetchall()
        shown = connection.execute(
            "SELECT value FROM indicator_values WHERE territory = '93008' AND month = '2024-12'"
        ).fetchone()
    assert found == [("part_inscrits_moins_25", m) for m in ("2024-11", "2024-12")]
    line = next(
        row.split(";")
        for row in (SAMPLES / "pole_emploi_defm_2024-12.csv").read_text().splitlines()
        if row.startswith("93008;")
    )
    header = (SAMPLES / "pole_emploi_defm_2024-12.csv").read_text().splitlines()[0].split(";")
    young, everyone = (float(line[header.index(c)]) for c in ("ABC_25", "ABC"))
    assert shown == (pytest.approx(100 * young / everyone),)


@pytest.mark.parametrize(
    ("name", "territory", "level", "decimal", "period", "communes"),
    [
        ("caf/data_CAF_2016_IRIS_93.csv", ("DEPCOM",), "commune", ",", ("annual", "2016-12"), 36),
        ("caf/data_CAF_2019_IRIS_93.csv", ("CODGEO",), "commune", ",", ("annual", "2019-12"), 36),
        ("emploi/data_DEFM2019_com_93.csv", ("CODGEO",), "commune", ",", ("annual", "2019-12"), 37),
        ("logement/RPLS_2024_densite_tx_vac_93.csv", ("DEPCOM_ARM",), "commune", ".", ("annual", "2024-12"), 40),
        ("logement/sitadel_communes_93.csv", ("code_com",), "commune", ",", ("annual", "2011-12"), 40),
        ("logement/LOVAC_2025_communes_93.csv", ("CODGEO_{yy}",), "commune", ",", ("annual", "2025-12"), 39),
        ("population/donnees_communes_pop2019_93.csv", ("CODDEP", "CODCOM"), "commune", ",", ("annual", "2019-12"), 40),
        ("population/donnees_communes_pop2021_93.csv", ("COM",), "commune", ",", ("annual", "2021-12"), 40),
    ],
)  # fmt: skip
def test_what_is_proposed_from_real_files(
    project: Project,
    realdata: Path,
    name: str,
    territory: tuple[str, ...],
    level: str,
    decimal: str,
    period: tuple[str, str],
    communes: int,
) -> None:
    """Columns, marks and numbers of communes as the producers' files show them to the eye."""
    p = _proposal(project, realdata / name)
    assert (p.territory, p.level, p.decimal, (p.cadence, p.month)) == (territory, level, decimal, period)
    assert len(p.communes) == communes


def _proposal(project: Project, path: Path) -> Proposal:
    (table,) = open_tables(path.name, path.read_bytes())
    return propose(table, project.territories, project.units)


def test_a_year_of_four_digits_ends_no_name(project: Project, producers: Path) -> None:
    """« … d'une seule personne 2021 »: the name was left with its 20."""
    path = producers / "observatoire_territoires/part_logements_suroccupes_epci_ept_2021.csv"
    (figure,) = _proposal(project, path).figures
    label = "Part des logements sur-occupés hors studios d'une seule personne"
    assert (figure.label, figure.column) == (label, f"{label} {{yyyy}}")
    assert figure.name.endswith("_seule_personne")


def test_small_areas_are_summed_and_medians_never(project: Project, realdata: Path) -> None:
    caf = _proposal(project, realdata / "caf" / "data_CAF_2019_IRIS_93.csv")
    assert caf.prefix == 5
    assert {f.reduce for f in caf.figures} == {"sum"}
    # Quartiles of income, whole euros in 2016 and 2018: their sum would mean nothing.
    for year in (2014, 2015, 2016, 2018):
        filosofi = _proposal(project, realdata / "filosofi" / f"FILO{year}_DISP_COM_93.csv")
        quartiles = {
            f.aggregation for f in filosofi.figures if f.column in ("Q1{yy}", "Q2{yy}", "Q3{yy}")
        }
        assert quartiles == {"none"}


@pytest.mark.parametrize(
    "name",
    [
        "logement/RPLS_parc_social_jan_2024_93.csv",
        "logement/sitadel_communes_93.csv",
        "filosofi/cc_filosofi_2020_COM_93.csv",
        "caf/data_CAF_2019_IRIS_93.csv",
    ],
)
def test_the_declarations_written_are_right(folder: Path, realdata: Path, name: str) -> None:
    new_partner(_bare(folder), "essai", "Partenaire d’essai", "2026-01")
    new_feed(_bare(folder), "essai", "fichier", realdata / name, 2024)
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0, result.output


def _bare(root: Path) -> Project:
    """Without the contracts that already read the file; the population stays, to draw shares of."""
    project = Project.load(root)
    kept = {n: e for n, e in project.feeds.items() if "population_municipale" in e.own}
    known = {e.variable_id(name) for e in kept.values() for name in e.own}
    read = {n: i for n, i in project.indicators.items() if set(i.indicator.parsed.variables) <= known}
    return replace(project, feeds=kept, indicators=read)


def _refusal(folder: Path, content: str, name: str = "essai_2024-12.csv") -> str:
    sample = folder.parent / name
    sample.write_text(content, encoding="utf-8")
    before = sorted(p for p in folder.rglob("*"))
    with pytest.raises(CannotPropose) as refused:
        new_feed(Project.load(folder), "caf", "essai", sample)
    assert sorted(p for p in folder.rglob("*")) == before, "something was written"
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("code;nombre\n93001;12\n93008;40\n", "essai.csv", "no period"),
        ("code;nombre\n75101;12\n75102;40\n", "essai_2024-12.csv", "no column holds codes or names"),
        ("code;nombre\n93001;12\n93001;40\n", "essai_2024-12.csv", "several rows of one territory"),
        (
            "code;nombre;part\n93001;1,25;2.5\n93008;4,75;3.5\n",
            "essai_2024-12.csv",
            "comma in some cells",
        ),
        ("code;nombre\n93001;1,250\n93008;4,750\n", "essai_2024-12.csv", "may be thousands or decimals"),
        ("code;a2021;a2022;a2023\n93001;1;2;3\n93008;4;5;7\n", "essai_2024.csv", "consecutive years"),
        (
            "code;Q201;Q202;Q203;CI01;CI02;CI03\n93001;1;2;3;9;9;8\n93008;4;5;7;9;8;8\n",
            "essai.csv",
            r"unpivot: {columns: '^(?P<variable>Q2|CI)(?P<yy>\d\d)$'",
        ),
        ("code;nombre\n93001;12\n93008;40\n", "essai_2013_2021.csv", "several years"),
    ],
)
def test_what_cannot_be_told_is_refused_and_nothing_is_written(
    folder: Path, content: str, name: str, said: str
) -> None:
    assert said in _refusal(folder, content, name)


def test_a_distance_is_no_count_and_its_geography_is_asked_for(
    folder: Path, project: Project, producers: Path
) -> None:
    """CartoSanté has whole numbers from 1 to 9, and the merged Saint-Denis without a word of its year."""
    path = producers / "observatoire_territoires/cartosante_distance_pharmacie_2024.csv"
    (distance,) = _proposal(project, path).figures
    assert distance.aggregation == "none"
    with pytest.raises(CannotPropose, match="--geography YEAR"):
        new_feed(Project.load(folder), "caf", "essai", path)


def test_nothing_is_overwritten(folder: Path) -> None:
    project = Project.load(folder)
    path = folder / "assets" / "partners" / "caf" / "partner.yaml"
    before = path.read_bytes()
    with pytest.raises(CannotPropose, match="never overwritten"):
        new_partner(project, "caf", "CAF", "2026-01")
    assert path.read_bytes() == before
    with pytest.raises(CannotPropose, match="already there"):
        new_feed(project, "caf", "allocataires", SAMPLES / "pole_emploi_defm_2024-12.csv")
    suite = folder / "expectations/partners/caf/essai.yaml"
    suite.parent.mkdir(exist_ok=True)
    suite.write_text("rules: {}\n", encoding="utf-8")
    with pytest.raises(CannotPropose, match="already there"):
        new_feed(project, "caf", "essai", SAMPLES / "pole_emploi_defm_2024-12.csv")
    assert not (folder / "assets/partners/caf/essai.yaml").exists()


def test_dg_scaffolds_a_contract_that_the_checks_accept(folder: Path, tmp_path: Path) -> None:
    def scaffold(feed: str) -> Path:
        defs = tmp_path / "defs" / feed
        defs.mkdir(parents=True)
        params = Sample(sample=SAMPLES / "pole_emploi_defm_2024-12.csv")
        request = dg.ScaffoldRequest("Contract", defs, "yaml", folder, params)
        dg_scaffolder(Contract).scaffold(request)
        return defs

    with pytest.raises(click.ClickException, match="no partner 'pole_emplo'"):
        scaffold("pole_emplo/defm")
    defs = scaffold("caf/defm")
    assert not defs.parent.exists()  # a second instance of the feeds would hold them twice
    project = Project.load(folder)  # raises when one declaration is wrong
    assert "caf/defm" in project.feeds


def test_a_wrong_id_is_told_whole(folder: Path) -> None:
    """Square brackets of a message are text, not a style of the terminal."""
    result = CliRunner().invoke(app, ["new-partner", "Mauvais Nom", "--label", "Partenaire d’essai"])
    assert result.exit_code == 1
    assert "[a-z]" in result.output
    assert not (folder / "assets/partners/Mauvais Nom").exists()


HEADER = ["code_insee", "periode", "dossiers", "montant"]


def sample(path: Path, cells: list[str], edit: int | None = None) -> Path:
    """A file of the 40 communes of 2024, one line a period, in the words of ``cells``."""
    territories = Project.load().territories
    lines = [";".join(HEADER)]
    for rank, commune in enumerate(territories.communes(2024), start=1):
        lines += [
            f"{commune.code};{cell};{70 * rank + i};{9100 * rank + i}" for i, cell in enumerate(cells)
        ]
    if edit is not None:
        lines[edit] = lines[edit].replace(";", ";", 1).rsplit(";", 2)[0] + ";-12;9"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cells", "cadence", "first"),
    [
        (["2023-11", "2023-12"], "monthly", "2023-11"),
        (["30/11/2023", "31/12/2023"], "monthly", "2023-11"),
        (["2023-11-30", "2023-12-31"], "monthly", "2023-11"),
        (["11/2023", "12/2023"], "monthly", "2023-11"),
        (["nov-2023", "déc-2023"], "monthly", "2023-11"),
        (["Novembre 2023", "Décembre 2023"], "monthly", "2023-11"),
        (["2023T3", "2023T4"], "quarterly", "2023-09"),
        (["T3 2023", "T4 2023"], "quarterly", "2023-09"),
        (["2022", "2023"], "annual", "2022-12"),
    ],
)
def test_periods_that_the_engine_reads_are_proposed(
    folder: Path, tmp_path: Path, cells: list[str], cadence: str, first: str
) -> None:
    project = Project.load(folder)
    _, proposal = new_feed(project, "caf", "essai", sample(tmp_path / "essai.csv", cells))
    assert (proposal.cadence, proposal.month) == (cadence, first)
    declared = Project.load(folder).feeds["caf/essai"].feed
    (table,) = open_tables("essai.csv", (tmp_path / "essai.csv").read_bytes())
    match = recognise(Project.load(folder), table)
    assert isinstance(match, Match) and match.entry.feed.id == declared.id
    assert len(read(Project.load(folder), match).months) == 2


def test_a_sample_that_the_gate_would_refuse_is_told(folder: Path, tmp_path: Path) -> None:
    """A negative count may be a wrong guess of the unit: the declarations are written, and it is told."""
    path = sample(tmp_path / "essai.csv", ["2023-12"], edit=7)
    told = CliRunner().invoke(app, ["new-feed", "caf/essai", "--from", str(path)]).output
    assert re.search(r"gate would refuse.*pas_trop_petit.*93.*-12", told)
    assert (folder / "assets/partners/caf/essai.yaml").exists()
