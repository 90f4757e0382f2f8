"""Commands that members' accounts, readers and engineers are told of, run as they are typed."""

import json
import shlex
from pathlib import Path

import pytest
import stamina
from typer.testing import CliRunner

from odds_pipeline.cli import app
from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.storage.home import Home

from ..pipeline.test_gate import gate, populations
from ..portals import portals

SERVER = "this is the embedded deployment; ODDS_DEPLOYMENT=server names the other one"


def said(line: str, status: int = 0) -> str:
    """What a command answers, in one line."""
    result = CliRunner().invoke(app, shlex.split(line))
    assert result.exit_code == status, (line, result.output)
    return " ".join(result.output.split())


@pytest.mark.usefixtures("home")
def test_the_life_of_an_account() -> None:
    """The lines of docs/how-to/members-site.md, and what the register of processing promises."""
    assert "/invitation/" in said('account create-admin claire@odds.fr "Claire Dupont"')
    ccas = 'account organisation "CCAS de Bobigny" --access membres --siret 26930007800018 --territory 93008'
    assert said(ccas) == "CCAS de Bobigny: membres"
    assert (
        said('account organisation "CPAM 93" --access membres --partner cpam') == "CPAM 93: membres cpam"
    )
    invitation = 'account invite {} "Amina B." --organisation "CCAS de Bobigny" --administrator'
    first, again = (said(invitation.format("agent@bobigny.fr")) for _ in range(2))
    assert first != again and "/invitation/" in again
    assert "already belongs" in said('account invite claire@odds.fr C --organisation "CPAM 93"', 2)
    people = {p["email"]: p for p in json.loads(said("account list --json"))}
    assert set(people) == {"claire@odds.fr", "agent@bobigny.fr"}
    assert people["agent@bobigny.fr"]["administrator"]
    assert (
        said('account correct agent@bobigny.fr --email amina@bobigny.fr --name "Amina Ba"')
        == "corrected"
    )
    assert said("account demote amina@bobigny.fr") == "amina@bobigny.fr: no longer an administrator"
    handed = said("account export amina@bobigny.fr")
    assert "Amina Ba" in handed and "Claire" not in handed
    assert said("account revoke amina@bobigny.fr") == "amina@bobigny.fr: closed"
    assert said("account erase amina@bobigny.fr --yes") == "erased"
    assert [p["email"] for p in json.loads(said("account list --json"))] == ["claire@odds.fr"]
    assert "no account" in said("account export amina@bobigny.fr", 2)
    assert all(count == 0 for count in json.loads(said("account purge --json")).values())


def test_what_a_release_holds_is_told_and_simulated_figures_are_no_coverage(
    observatory: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODDS_HOME", str(observatory.path))
    rows = json.loads(said("coverage --json"))
    assert len(rows) == len(json.loads(said("indicators --json")))
    assert {count for row in rows for count in row["levels"].values()} <= {0}


def test_a_refused_month_is_shown_as_the_notice_to_send(
    project: Project, home: Home, tmp_path: Path
) -> None:
    file = populations(tmp_path, 2019, lambda rows: rows.pop(7))
    assert gate(project, home, file)[0].refused == ("2019-01",)
    assert file.name in said("quarantine")
    notice = said(f"quarantine show {file.name} --page {tmp_path / 'notice.html'}")
    assert "written to" in notice and "93013" not in notice
    assert "93013" in said(f"quarantine show {file.name}")  # the commune that is absent
    assert "93013" in (tmp_path / "notice.html").read_text(encoding="utf-8")
    assert "nothing in quarantine" in said("quarantine show autre.csv", 2)


def test_a_decision_is_shown_as_readers_will_see_it_before_it_is_taken(
    project: Project, home: Home, tmp_path: Path
) -> None:
    file = populations(tmp_path, 2019, lambda rows: rows.pop(7))
    gate(project, home, file)
    words = ["quarantine", "accept", file.name, "--reason", "commune recensée à part", "--by"]
    named = CliRunner().invoke(app, [*words, "Mme Dupont, Insee"], input="y\n")
    assert named.exit_code == 2 and "names a person" in named.output
    for answer, status in (("n", 1), ("y", 0)):
        assert file.name in said("quarantine")
        done = CliRunner().invoke(app, [*words, "responsable qualité"], input=f"{answer}\n")
        shown, asked, _ = done.output.partition("Is that right?")
        assert asked and "Readers will see, for ever" in shown
        assert "commune recensée à part" in shown and "responsable qualité" in shown
        assert done.exit_code == status, done.output
    assert file.name not in said("quarantine")


def test_schemas_are_those_of_the_repository(tmp_path: Path) -> None:
    said(f"schemas {tmp_path}")
    kept = project_root() / "docs/reference/schemas"
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text() for path in kept.iterdir()}


@pytest.mark.usefixtures("home")
def test_outlines_are_kept(realdata: Path) -> None:
    assert said(f"outlines {realdata / 'geo/communes93.geojson'}") == "40 outlines kept"


@pytest.mark.usefixtures("home")
def test_fetching_says_which_portal_does_not_answer() -> None:
    with portals() as mirror, stamina.set_testing(True, attempts=1):
        assert said(f"fetch insee --from {mirror.address} --dry-run", 1)
        assert mirror.paths()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["metrics", "compact", "worker", "code-server", "coordinator"])
def test_what_a_server_does_is_refused_on_one_machine(command: str) -> None:
    assert SERVER in said(command, 2)


def test_another_observatory_is_not_begun_without_its_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest in tests/pipeline/test_new_observatory.py. The command names the new deployment for the process."""
    monkeypatch.setenv("ODDS_DEPLOYMENT", "local")
    line = f'new-observatory 59 --label "Nord" --reference {tmp_path} --outlines x.geojson --to {tmp_path}/o'
    said(line, 1)
    assert not (tmp_path / "o").exists()
