"""Simulated deliveries: the same on every machine, adding up, and said to be simulated."""

import dataclasses
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odds_pipeline.declarations.problems import DeclarationError
from odds_pipeline.declarations.project import Project
from odds_pipeline.declarations.read_simulations import load_simulations, read_simulations
from odds_pipeline.demo.deliveries import MARKER, filled, groups, write_deliveries
from odds_pipeline.demo.simulation import Simulator, split
from odds_pipeline.months import months_between


def test_every_variable_of_every_feed_has_its_draw(project: Project) -> None:
    assert [str(p) for p in read_simulations(project)[1]] == []


@given(
    total=st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=6),
)
def test_parts_add_up_exactly(total: list[int], weights: list[float]) -> None:
    parts = split(np.array(total, dtype=float), weights)
    assert np.array_equal(sum(parts), np.array(total, dtype=float))
    assert all((part >= 0).all() for part in parts)


def test_parts_fit_their_wholes_in_every_commune(project: Project) -> None:
    simulator = Simulator(project, load_simulations(project), months_between("2022-01", "2024-12"))
    wrong = []
    for name, (entry, variable) in project.variables.items():
        if variable.part_of is None:
            continue
        whole = simulator.figures(entry.variable_id(variable.part_of))
        if (simulator.figures(name) > whole + 5).any():
            wrong.append(name)
    assert wrong == []


def test_declared_sums_add_up(project: Project) -> None:
    simulator = Simulator(project, load_simulations(project), months_between("2023-11", "2024-12"))
    wrong = []
    for entry in project.feeds.values():
        for total, parts in entry.feed.partitions:
            added = sum(simulator.figures(entry.variable_id(part)) for part in parts)
            if not np.array_equal(added, simulator.figures(entry.variable_id(total))):
                wrong.append((entry.id, total))
    assert wrong == []


def test_social_figures_fit_between_partners(project: Project) -> None:
    simulator = Simulator(project, load_simulations(project), ["2024-12"])
    rsa, caf, menages, people = (
        simulator.figures(name).sum()
        for name in (
            "caf.foyers_rsa",
            "caf.foyers_allocataires",
            "insee.menages",
            "insee.population_municipale",
        )
    )
    assert 0 < rsa < caf < menages < people
    # 1.67 million inhabitants in 2021 and 0.6 % more each year.
    assert people == pytest.approx(1.71e6, rel=0.02)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("caf.foyers_rsa", "caf.foyers_allocataires"),
        ("caf.personnes_rsa", "caf.personnes_couvertes"),
        ("caf.foyers_aide_logement", "caf.foyers_allocataires"),
        ("caf.foyers_paje", "caf.foyers_allocataires"),
        ("caf.foyers_ars", "caf.foyers_allocataires"),
        ("caf.foyers_prime_activite", "caf.foyers_allocataires"),
        ("caf.foyers_bas_revenus_monoparents", "caf.foyers_monoparents"),
        ("caf.foyers_bas_revenus_isoles", "caf.foyers_isoles"),
        ("caf.foyers_allocataires", "insee.menages"),
        ("caf.personnes_couvertes", "insee.population_municipale"),
        ("caf.enfants_psu", "insee.pop_0_5"),
        ("conseil_general.enfants_confies", "insee.pop_0_20"),
        ("conseil_general.enfants_pmi", "insee.pop_0_5"),
        ("conseil_general.menages_service_social", "insee.menages"),
        ("pole_emploi.ml_jeunes", "insee.pop_18_24"),
        ("prefecture.expulsions_effectives", "prefecture.assignations"),
        ("prefecture.assignations", "insee.locataires"),
        ("drihl.demandes", "insee.menages"),
        ("drihl.rpls_logements", "insee.residences_principales"),
        ("drihl.rp_privees", "insee.residences_principales"),
        ("inspection_academique.lyceens", "insee.population_municipale"),
        ("udccas.domiciliations", "insee.population_municipale"),
    ],
)
def test_figures_fit_their_wholes_across_feeds_and_partners(
    project: Project, part: str, whole: str
) -> None:
    """Nobody delivers both: only a reader who lays them side by side would see it."""
    simulator = Simulator(project, load_simulations(project), ["2024-12"])
    parts, wholes = simulator.figures(part), simulator.figures(whole)
    assert (parts <= wholes).all()
    assert 0 < parts.sum() < wholes.sum()


@pytest.mark.slow
def test_another_observatory_needs_its_populations_and_nothing_else(
    project: Project, tmp_path: Path
) -> None:
    elsewhere = dataclasses.replace(project, root=tmp_path)
    shutil.copytree(project.root / "resources/simulation", tmp_path / "resources/simulation")
    with pytest.raises(DeclarationError, match=r"populations_2021\.csv:1: .* 40 communes lack \(93001"):
        write_deliveries(elsewhere, tmp_path / "out", "2024-01", "2024-01", feeds={"caf/rsa"})
    reference = tmp_path / "resources/reference"
    reference.mkdir()
    (reference / "populations_2021.csv").write_bytes(
        (project.root / "resources/reference/populations_2021.csv").read_bytes()
    )
    written = write_deliveries(
        elsewhere, tmp_path / "out", "2024-01", "2024-01", faults=False, feeds={"caf/rsa"}
    )
    assert len(written.paths) == 1


def test_same_bytes_each_time_and_marked(project: Project, tmp_path: Path) -> None:
    first = write_deliveries(project, tmp_path / "a", "2024-11", "2025-01", faults=False)
    again = write_deliveries(project, tmp_path / "b", "2024-11", "2025-01", faults=False)
    assert [p.name for p in first.paths] == [p.name for p in again.paths]
    for one, other in zip(first.paths, again.paths, strict=True):
        assert one.read_bytes() == other.read_bytes()
        content = one.read_bytes()
        if one.suffix == ".zip":
            with zipfile.ZipFile(one) as archive:
                content = archive.read(archive.namelist()[0])
        lines = content.splitlines()
        assert lines[0].endswith(MARKER.encode())
        assert all(line.endswith(b";oui") for line in lines[1:])


@pytest.mark.slow
def test_thirty_nine_communes_from_2025(project: Project, tmp_path: Path) -> None:
    write_deliveries(project, tmp_path, "2024-12", "2025-01", faults=False, feeds={"caf/allocataires"})
    for month, communes in (("2024-12", 40), ("2025-01", 39)):
        (path,) = tmp_path.glob(f"caf_allocataires*{month}*.csv")
        assert len(path.read_bytes().splitlines()) == communes + 1


@pytest.mark.parametrize(
    ("pattern", "example", "written"),
    [
        (r"^caf_rsa_(?P<year>20\d\d)-(?P<month>\d\d)", "caf_rsa_2011-02.csv", "caf_rsa_2023-12.csv"),
        (r"^FILO(?P<year>20\d\d)_DISP", "FILO2019_DISP_COM.csv", "FILO2023_DISP_COM.csv"),
        (r"ecoles_(?P<year>20\d\d)(?:-20\d\d)?", "ips_ecoles_2021-2022.csv", "ips_ecoles_2023-2022.csv"),
        (r"(?P<year>\d{4})-T(?P<quarter>\d)", "2011-T1", "2023-T4"),
        (r"^CODGEO_(?P<yy>\d\d)$", "CODGEO_25", "CODGEO_23"),
    ],
)
def test_a_contracts_example_is_written_for_another_month(
    pattern: str, example: str, written: str
) -> None:
    assert filled(pattern, example, groups("2023-12")) == written
