"""The French guide to the declarations: each key, its meaning, what it may hold, whether it must be."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from odds_pipeline.declarations.calendar import Calendar
from odds_pipeline.declarations.correction import Correction
from odds_pipeline.declarations.feed import Column, Example, Feed, Format, Period, TerritoryKey, Variable
from odds_pipeline.declarations.indicator import Family, Indicator
from odds_pipeline.declarations.partner import Partner
from odds_pipeline.declarations.secrecy import Secrecy
from odds_pipeline.declarations.suite import Rule, Suite

CHAPTERS: dict[str, tuple[type[BaseModel], ...]] = {
    "Un partenaire : `assets/partners/<partenaire>/partner.yaml`": (Partner, Secrecy),
    "Un flux : `assets/partners/<partenaire>/<flux>.yaml`": (
        Feed,
        Calendar,
        Variable,
        Format,
        Example,
        TerritoryKey,
        Period,
        Column,
    ),
    "Une erreur connue d’une source : `<flux>.corrections.yaml`": (Correction,),
    "Des indicateurs : `assets/indicators/<thème>/<famille>.yaml`": (Family, Indicator),
    "Ce qu’une livraison doit respecter : `expectations/…`": (Suite, Rule),
}
TITLES = {
    "Partner": "Le partenaire",
    "Secrecy": "Sa règle de secret (`secrecy`)",
    "Feed": "Le contrat",
    "Calendar": "Le calendrier (`calendar`)",
    "Variable": "Une variable (`variables`)",
    "Format": "Un format (`formats`)",
    "Example": "Ce que le producteur écrit (`example`)",
    "TerritoryKey": "Le territoire (`territory`)",
    "Period": "La période (`period`)",
    "Column": "Une colonne (`columns`)",
    "Correction": "La correction",
    "Family": "La famille",
    "Indicator": "L’indicateur",
    "Suite": "La suite",
    "Rule": "Une règle (`rules`)",
}
TYPES = {
    "string": "texte",
    "integer": "entier",
    "number": "nombre",
    "boolean": "true ou false",
    "array": "liste",
    "object": "bloc de clés",
    "null": "",
}
WORDS: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "fields.fr.yaml").read_text(encoding="utf-8")
)


def page() -> str:
    """The guide as Markdown."""
    lines = ["# Guide des déclarations", ""]
    lines += [
        "Page produite par `make docs` à partir des classes que le programme lit. `odds check` dit"
    ]
    lines += [
        "chaque faute avec son fichier et sa ligne ; un éditeur branché sur les schémas la souligne."
    ]
    for title, models in CHAPTERS.items():
        lines += ["", f"## {title}"]
        for model in models:
            lines += ["", f"### {TITLES[model.__name__]}", ""]
            lines += ["| clé | sens | contenu | |", "| --- | --- | --- | --- |", *_rows(model)]
    return "\n".join(lines) + "\n"


def _rows(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    rows = []
    for name, field in schema["properties"].items():
        meaning = WORDS[model.__name__].get(name) or field.get("description", "")
        must = "obligatoire" if name in required else ""
        rows.append(f"| `{name}` | {meaning} | {_content(field, schema)} | {must} |")
    return rows


def _content(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a key may hold, in French."""
    if "$ref" in field:
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if "anyOf" in field:
        contents = [_content(one, schema) for one in field["anyOf"]]
        return " ou ".join(dict.fromkeys(filter(None, contents)))
    if field.get("pattern", "").startswith("^(19|20)"):
        return "mois AAAA-MM"
    return TYPES[field.get("type", "object")]
