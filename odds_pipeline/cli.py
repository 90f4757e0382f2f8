"""The `odds` command."""
from pathlib import Path
import typer
from odds_pipeline.model.project import Project
app = typer.Typer()

@app.callback()
def main() -> None: ...

@app.command()
def check(root: Path | None = None) -> None:
    p = Project.read(root)
    for x in sorted(p.problems): print(x)
    print(len(p.feeds),"feeds",len(p.variables),"variables",len(p.indicators),"indicators",len(p.problems),"problems")
    raise typer.Exit(1 if p.problems else 0)

if __name__ == "__main__": app()
