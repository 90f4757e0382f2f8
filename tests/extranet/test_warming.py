"""What most readers open is made before they ask for it."""

import gc
import socket
import threading

import uvicorn

from odds_pipeline.extranet.reading.rights import VISITOR
from odds_pipeline.extranet.warming import settle, warm

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
    maps = {page for page in kept if page.startswith("/indicateurs/")}
    assert len(communes) >= 40 and communes <= kept and len(maps) >= 1
    assert given == len(view.territories) + 3 + len(maps)


def test_a_connection_that_is_cut_does_not_end_the_warming(site: Site) -> None:
    def cut(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=cut, args=(server,), daemon=True)
        thread.start()
        view = site.app.state.serving.view(VISITOR)
        assert warm(f"http://127.0.0.1:{server.getsockname()[1]}", view) == 0


def test_what_stands_is_looked_through_once_a_release() -> None:
    try:
        settle()
        first = gc.get_freeze_count()
        former = [[n] for n in range(100_000)]
        settle()
        assert first > 100_000 / 2 and gc.get_freeze_count() > first + len(former) / 2
        del former
        settle()
        assert gc.get_freeze_count() < first + 50_000  # nothing is kept for ever
    finally:
        gc.unfreeze()
