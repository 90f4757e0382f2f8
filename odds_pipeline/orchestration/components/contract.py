"""`dg scaffold defs Contract PARTNER/FEED --sample FILE`: a feed is a contract, no more."""

from pathlib import Path

import click
import dagster as dg
from pydantic import BaseModel, Field

from odds_pipeline.declarations.project import Project
from odds_pipeline.onboarding.declarations import new_feed
from odds_pipeline.onboarding.period import CannotPropose


class Sample(BaseModel):
    """What a contract is proposed from, as for `odds new-feed`."""

    sample: Path = Field(description="a file as the partner delivers it")
    geography: int | None = Field(default=None, description="year of its communes, when asked for")


class ContractScaffolder(dg.Scaffolder[Sample]):
    """Writes the contract where contracts are: `PartnerFeeds` makes assets of them all."""

    @classmethod
    def get_scaffold_params(cls) -> type[Sample]:
        return Sample

    def scaffold(self, request: dg.ScaffoldRequest[Sample]) -> None:
        partner, feed = request.target_path.parts[-2:]
        _leave_no_folder(request.target_path)
        project = Project.read()
        try:
            written, _ = new_feed(
                project, partner, feed, request.params.sample, request.params.geography
            )
        except CannotPropose as error:
            raise click.ClickException(str(error)) from error
        for path in written:
            click.echo(f"written: {path.relative_to(project.root)}")
        click.echo("Next: confirm or mend the lines marked `# confirm`, then `odds check`.")


def _leave_no_folder(path: Path) -> None:
    """Dg makes the folder of an instance before it asks; there is none to a contract."""
    path.rmdir()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


@dg.scaffold_with(ContractScaffolder)
class Contract:
    """The contract of a new feed, proposed from a sample of its files; no Python."""
