"""What is told: by e-mail and by webhook, each fact once to each address, with a link."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller

from odds_pipeline.declarations.deployment import deployment
from odds_pipeline.declarations.project import Project
from odds_pipeline.orchestration import runs
from odds_pipeline.orchestration.components import recueil
from odds_pipeline.orchestration.notices import Fact, facts, tell
from odds_pipeline.quality.outstanding import waiting
from odds_pipeline.reception.receive import receive
from odds_pipeline.storage.home import Home

from .test_gate import FEED, populations

INTERFACE = "http://dagster.example:3000"


class Mailbox:
    """A mail server on this machine that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.recipients: list[list[str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        (text,) = [p for p in message.walk() if p.get_content_type() == "text/plain"]
        payload = text.get_payload(decode=True)
        assert isinstance(payload, bytes)
        self.received.append(f"{make_header(decode_header(message['Subject']))}\n{payload.decode()}")
        return "250 OK"


@contextmanager
def webhook() -> Iterator[tuple[HTTPServer, list[dict[str, Any]]]]:
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, received
    finally:
        server.shutdown()
        server.server_close()


def test_each_address_is_told_once_of_each_fact(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.dagster.mkdir(parents=True)
    first = Fact("a", "Mois refusé : caf/rsa 2024-12.", f"{INTERFACE}/assets/partners/caf/rsa")
    second = Fact("b", "Édition 3 publiée.", f"{INTERFACE}/assets/catalogue/recueil")
    own = deployment().model_copy(update={"notify": ["ODDS_MAIL", "ODDS_HOOK"]})
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mail = Controller(box, hostname="127.0.0.1", port=port)
    mail.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=odds@example.fr&to=equipe@example.fr"
        monkeypatch.setenv("ODDS_MAIL", address)
        with webhook() as (server, received):
            monkeypatch.setenv("ODDS_HOOK", f"json://127.0.0.1:{server.server_port}/")
            assert tell([first], own, home) == []
            assert tell([first], own, home) == []
        assert tell([first, second], own, home) == ["ODDS_HOOK"]  # the webhook is gone
        with webhook() as (server, after):
            monkeypatch.setenv("ODDS_HOOK", f"json://127.0.0.1:{server.server_port}/")
            assert tell([first, second], own, home) == []
            assert tell([second], own, home) == []
            assert tell([first, second], own, home) == []  # it had ended, and came back
    finally:
        mail.stop()
    assert [m["title"] for m in received] == [first.text]
    assert [m["title"] for m in after] == [second.text, first.text]
    assert [text.splitlines()[0] for text in box.received] == [first.text, second.text, first.text]
    assert first.link in received[0]["message"] and first.link in box.received[0]


def test_what_is_told(project: Project, home: Home, tmp_path: Path) -> None:
    populations(tmp_path / "in", 2018, lambda rows: rows[3].__setitem__(3, "-12"))
    populations(tmp_path / "in", 2019)
    list(receive(project, home, [tmp_path / "in"]))
    with runs.instance_of(home) as instance:
        (batch,) = waiting(project, home)
        assert not runs.run_feeds(instance, batch)
        lost = dg.DagsterRun("publish_recueil")
        retried = dg.DagsterRun("publish_recueil", parent_run_id=lost.run_id, root_run_id=lost.run_id)
        for run in (lost, retried):
            instance.add_run(run)
            instance.report_run_failed(run)
        found = facts(project, home, instance, INTERFACE, date(2026, 6, 1))
        home.releases.mkdir(exist_ok=True)
        (home.releases / "current").write_text("x")
        broken = facts(project, home, instance, INTERFACE, date(2026, 6, 1))
    assert broken[:3] == found and "names no release" in broken[3].text
    told = {fact.text.partition(" : ")[0]: fact for fact in found}
    assert sorted(told) == ["Mois refusé", "Très en retard", "Édition non publiée. "]
    assert len(found) == 3  # the refusal's own run and the second attempt are not told besides
    assert f"{FEED} 2018-01" in told["Mois refusé"].text
    assert told["Mois refusé"].link == f"{INTERFACE}/assets/partners/{FEED}?view=checks"
    assert told["Édition non publiée. "].link == f"{INTERFACE}/runs/{lost.run_id}"


def test_what_fails_again_for_the_same_cause_is_told_once(
    project: Project, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release is asked for again every hour while its run breaks."""
    list(receive(project, home, [populations(tmp_path / "in", 2019)]))

    def failed(instance: dg.DagsterInstance, words: str) -> list[str]:
        def broken(*_: Any) -> None:
            raise OSError(words)

        with monkeypatch.context() as context:
            context.setattr(recueil, "publish", broken)
            assert not runs.run_recueil(instance)
        found = facts(project, home, instance, INTERFACE, date(2026, 6, 1))
        return [fact.text for fact in found if "Édition non publiée" in fact.text]

    with runs.instance_of(home) as instance:
        (batch,) = waiting(project, home)
        assert runs.run_feeds(instance, batch)
        (first,) = failed(instance, "No space left on /srv/.0007.tmp")
        assert "of the machine, not of a file (No space left on /srv/.0007.tmp)" in first
        assert "OSError" not in first
        assert failed(instance, "No space left on /srv/.0008.tmp") == [first]
        assert len(failed(instance, "Input/output error")) == 2
        # It went well in between: the same words are news again.
        assert runs.run_recueil(instance)
        assert len(failed(instance, "Input/output error")) == 3
        # Other figures came in.
        list(receive(project, home, [populations(tmp_path / "more", 2020)]))
        (batch,) = waiting(project, home)
        assert runs.run_feeds(instance, batch)
        assert len(failed(instance, "Input/output error")) == 4


def test_a_laptop_tells_nobody() -> None:
    assert os.environ.get("ODDS_DEPLOYMENT") is None
    assert deployment().notify == []
