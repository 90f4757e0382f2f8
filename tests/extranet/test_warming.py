"""What most readers open is made before they ask for it."""

import threading

import uvicorn

from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.extranet.warming import warm

from .conftest import Site


def test_every_territory_is_made_before_anyone_asks(site: Site) -> None:
    socket_server = uvicorn.Config("", port=0).bind_socket()
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket_server]})
    thread.start()
    try:
        view = site.app.state.serving.view(VISITOR)
        given = warm(f"http://127.0.0.1:{socket_server.getsockname()[1]}", view)
    finally:
        server.should_exit = True
        thread.join()
    kept = {key[1] for key in view.pages._kept if len(key) == 4}
    communes = {f"/territoires/{p.code}" for p in view.places.values() if p.level == "commune"}
    assert len(communes) >= 40 and communes <= kept and given == len(view.territories) + 3
