"""The catalogue for other machines: DCAT-AP as JSON-LD and Turtle, Table Schema, data package.

It describes what the reader may see and nothing else.
"""

import json
from typing import Any

from odds_pipeline.declarations.extranet import Settings
from odds_pipeline.extranet.downloads import exports
from odds_pipeline.extranet.reading.serving import View

_PLACE = "http://id.insee.fr/geo/departement/"
_EU = "http://publications.europa.eu/resource/authority/"
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_FILES = {
    "machine.csv": ("CSV", "text/csv"),
    "xlsx": ("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("PARQUET", "application/vnd.apache.parquet"),
}
_RIGHTS = {"public": "PUBLIC", "membres": "RESTRICTED", "partenaires": "RESTRICTED"}
_LICENCES = {"etalab-2.0": "https://www.etalab.gouv.fr/licence-ouverte-open-licence"}
Node = dict[str, Any]


def _text(words: str) -> Node:
    return {"@value": words, "@language": "fr"}


def _ref(address: str) -> Node:
    return {"@id": address}


def _moment(when: str) -> Node:
    return {"@value": when, "@type": "xsd:dateTime"}


def dcat(view: View, settings: Settings) -> Node:
    """The catalogue as JSON-LD: a dataset an indicator, and the whole recueil."""
    base = settings.public_url
    publisher = f"{base}/#editeur"
    datasets = [_recueil(view, base, publisher, settings)]
    datasets += [_dataset(view, base, publisher, settings, name) for name in view.definitions]
    catalogue = {
        "@id": f"{base}/donnees/catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _text(settings.title),
        "dct:description": _text(
            "Indicateurs sociaux des communes, de leurs groupements et du département."
            + _simulated(view)
        ),
        "dct:publisher": _ref(publisher),
        "dct:language": _ref(f"{_EU}language/FRA"),
        "dct:issued": _moment(view.about["published_at"]),
        "foaf:homepage": _ref(f"{base}/"),
        "dcat:dataset": [_ref(d["@id"]) for d in datasets],
    }
    agent = {"@id": publisher, "@type": "foaf:Agent", "foaf:name": _text(settings.publisher)}
    homepage = {"@id": f"{base}/", "@type": "foaf:Document"}
    return {"@context": CONTEXT, "@graph": [catalogue, agent, homepage, *datasets]}


def _simulated(view: View) -> str:
    return " DONNÉES SIMULÉES : ne pas les utiliser." if view.simulated else ""


def _described(
    address: str, title: str, description: str, publisher: str, view: View, access: str
) -> Node:
    return {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:title": _text(title),
        "dct:description": _text(description + _simulated(view)),
        "dct:publisher": _ref(publisher),
        "dct:language": _ref(f"{_EU}language/FRA"),
        "dct:spatial": [_ref(f"{_PLACE}{code}") for code in view.observatory.departements],
        "dct:modified": _moment(view.about["published_at"]),
        "dct:accessRights": _ref(f"{_EU}access-right/{_RIGHTS[access]}"),
        "dcat:theme": [_ref(f"{_EU}data-theme/SOCI")],
    }


def _contact(base: str, settings: Settings) -> Node:
    return {
        "@type": "vcard:Organization",
        "vcard:fn": settings.contact,
        "vcard:hasURL": _ref(f"{base}/a-propos"),
    }


def _recueil(view: View, base: str, publisher: str, settings: Settings) -> Node:
    access = max(
        (s["access"] for s in view.definitions.values()), key=list(_RIGHTS).index, default="public"
    )
    address = f"{base}/donnees/recueil"
    files = [(f"{address}.{e}", kind, media) for e, (kind, media) in _FILES.items()]
    files.append((f"{base}/donnees/recueil.sdmx.csv", "CSV", "text/csv"))
    return {
        **_described(
            address,
            "Recueil des indicateurs",
            f"Toutes les valeurs de l’édition {view.number}, avec leurs statuts.",
            publisher,
            view,
            access,
        ),
        "dct:identifier": "recueil",
        "dcat:contactPoint": _contact(base, settings),
        "dcat:distribution": [_distribution(base, *file) for file in files],
    }


def _dataset(view: View, base: str, publisher: str, settings: Settings, name: str) -> Node:
    sheet = view.definitions[name]
    address = f"{base}/indicateurs/{name}"
    download = f"{base}/telecharger/indicateur/{name}"
    licence = _LICENCES.get(sheet["licence"])
    return {
        **_described(address, sheet["label"], sheet["definition"], publisher, view, sheet["access"]),
        "dct:identifier": name,
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "dct:description": _text(sheet["source"]),
        },
        "dcat:keyword": [_text(view.observatory.themes[sheet["theme"]]), _text(sheet["family_label"])],
        "dcat:landingPage": {"@id": address + "#fiche", "@type": "foaf:Document"},
        "dcat:contactPoint": _contact(base, settings),
        "dcat:distribution": [
            _distribution(base, f"{download}.{extension}", kind, media, licence)
            for extension, (kind, media) in _FILES.items()
        ],
    }


def _distribution(base: str, address: str, kind: str, media: str, licence: str | None = None) -> Node:
    node: Node = {
        "@id": address + "#fichier",
        "@type": "dcat:Distribution",
        "dct:title": _text(f"Fichier {kind}"),
        "dcat:accessURL": _ref(address),
        "dcat:downloadURL": _ref(address),
        "dct:format": _ref(f"{_EU}file-type/{kind}"),
        "dcat:mediaType": _ref(f"http://www.iana.org/assignments/media-types/{media}"),
    }
    if licence:
        node["dct:license"] = _ref(licence)
    return node


def turtle(graph: Node) -> str:
    """The same catalogue as Turtle."""
    lines = [f"@prefix {prefix}: <{address}> ." for prefix, address in CONTEXT.items()]
    for node in graph["@graph"]:
        lines += ["", f"<{node['@id']}> {_predicates(node)} ."]
    return "\n".join(lines) + "\n"


def _predicates(node: Node) -> str:
    pairs = []
    for key, value in node.items():
        if key == "@id":
            continue
        name = "a" if key == "@type" else key
        values = value if isinstance(value, list) else [value]
        if values:
            pairs.append(f"{name} " + ", ".join(value if key == "@type" else _object(v) for v in values))
    return " ;\n    ".join(pairs)


def _object(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if "@value" in value:
        words = json.dumps(value["@value"], ensure_ascii=False)
        return f"{words}@{value['@language']}" if "@language" in value else f"{words}^^{value['@type']}"
    if set(value) == {"@id"}:
        return f"<{value['@id']}>"
    return f"[ {_predicates(value)} ]"


def nested_as_nodes(graph: Node) -> Node:
    """Lift nodes that have an address out of the nodes that hold them, as Turtle needs."""
    flat: list[Node] = []

    def lift(value: Any) -> Any:
        if isinstance(value, list):
            return [lift(v) for v in value]
        if not isinstance(value, dict) or "@value" in value or set(value) == {"@id"}:
            return value
        node = {key: lift(v) for key, v in value.items()}
        if "@id" in node:
            flat.append(node)
            return {"@id": node["@id"]}
        return node

    for node in graph["@graph"]:
        lift(node)
    return {"@context": graph["@context"], "@graph": flat}


TABLES = {
    "valeurs": ("recueil", exports.VALUES, ["indicator", "territory", "month", "geography"]),
    "indicateurs": ("indicateurs", exports.DEFINITIONS, ["indicator"]),
    "territoires": ("territoires", exports.TERRITORIES, ["territory", "geography"]),
}
_REQUIRED = {"indicator", "territory", "month", "geography", "level", "obs_status", "conf_status"}


def table_schema(view: View, table: str) -> Node:
    """The Table Schema of one of :data:`TABLES`."""
    _, fields, key = TABLES[table]
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "name": f"{view.observatory.id}-{table}",
        "fields": [
            {
                "name": name,
                "type": kind,
                "description": words,
                **({"constraints": {"required": True}} if name in _REQUIRED else {}),
            }
            for name, (kind, words) in fields.items()
        ],
        "missingValues": [""],
        "primaryKey": key,
    }


def data_package(view: View, settings: Settings) -> Node:
    """A Frictionless data package of the machine CSV files of the release."""
    return {
        "profile": "tabular-data-package",
        "name": f"{view.observatory.id}-edition{view.number}",
        "title": f"{settings.title}, édition {view.number}",
        "description": "Recueil des indicateurs." + _simulated(view),
        "created": view.about["published_at"],
        "resources": [
            {
                "name": table,
                "profile": "tabular-data-resource",
                "path": f"{name}.machine.csv",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": table_schema(view, table),
            }
            for table, (name, _, _) in TABLES.items()
        ],
    }
