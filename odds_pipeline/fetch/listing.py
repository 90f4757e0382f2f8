"""What a portal says it has of an origin: one function for each kind of interface."""

from collections.abc import Callable, Iterable

from odds_pipeline.declarations.portal import Api, Origin
from odds_pipeline.fetch.client import Client, Unavailable
from odds_pipeline.fetch.resource import Resource, file_name, wanted

_FIELDS = "id,last_update,resources{id,title,type,filetype,url,checksum,filesize,last_modified}"
_EXPORT = {"delimiter": ";", "with_bom": "false", "timezone": "UTC"}


def _udata(client: Client, origin: Origin) -> Iterable[Resource]:
    """data.gouv.fr: the resources of a dataset. A hosted file bears the checksum of its bytes."""
    url = f"{client.portal.address}/api/1/datasets/{origin.dataset}/"
    for one in client.get_json(url, {"X-Fields": _FIELDS})["resources"]:
        address, checksum = str(one["url"]), one.get("checksum") or {}
        ours, vintage = wanted(origin, file_name(address), str(one.get("title") or ""), address)
        if ours and one.get("type") in ("main", "update", None):
            hosted = one.get("filetype") == "file" and checksum.get("type") == "sha1"
            yield Resource(
                address,
                file_name(address),
                vintage,
                one.get("last_modified"),
                {key: one.get(key) for key in ("url", "checksum", "filesize", "last_modified")},
                str(checksum["value"]) if hosted else None,
            )


def _opendatasoft(client: Client, origin: Origin) -> Iterable[Resource]:
    """Explore v2.1: a dataset's records as one CSV, technical names, in the perimeter asked for."""
    url = f"{client.portal.address}/api/explore/v2.1/catalog/datasets/{origin.dataset}"
    found = client.get_json(url)
    metas = found["metas"]["default"]
    mark = {key: metas.get(key) for key in ("data_processed", "modified", "records_count")}
    yield Resource(
        f"{url}/exports/csv",
        f"{origin.dataset}.csv",
        None,
        metas.get("data_processed"),
        mark | {"fields": [f.get("name") for f in found["fields"]]},
        None,
        None if origin.filter else metas.get("records_count"),
        _EXPORT
        | {"use_labels": str(origin.labels).lower()}
        | ({"where": origin.filter} if origin.filter else {}),
    )


def _melodi(client: Client, origin: Origin) -> Iterable[Resource]:
    """Insee's Melodi: the products of a dataset, zipped CSV."""
    for one in client.get_json(f"{client.portal.address}/catalog/{origin.dataset}")["product"]:
        ours, vintage = wanted(origin, str(one["id"]), str(one.get("title")))
        if one["format"] == "CSV" and ours:
            mark = {key: one.get(key) for key in ("modified", "byteSize")}
            address = str(one["accessURL"])
            yield Resource(address, f"{one['id']}.zip", vintage, one.get("modified"), mark)


def _files(client: Client, origin: Origin) -> Iterable[Resource]:
    """A portal without an interface: the address of each vintage is declared."""
    for vintage, path in origin.vintages.items():
        address = f"{client.portal.address}/{path.lstrip('/')}"
        yield Resource(address, file_name(address), vintage)


_BY_API: dict[Api, Callable[[Client, Origin], Iterable[Resource]]] = {
    "udata": _udata,
    "opendatasoft": _opendatasoft,
    "melodi": _melodi,
    "files": _files,
}


def resources_of(client: Client, origin: Origin) -> list[Resource]:
    """The files of an origin. Raises :class:`~.client.Unavailable`, as when there is none."""
    name = client.portal.label
    try:
        found = list(_BY_API[client.portal.api](client, origin))
    except (KeyError, AttributeError, TypeError) as error:
        raise Unavailable(
            f"{name} décrit {origin.dataset} autrement que d'habitude ({error})."
        ) from error
    if not found:
        raise Unavailable(f"{name} n'a plus de fichier « {origin.resource} » dans {origin.dataset}.")
    return found
