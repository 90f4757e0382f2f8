"""The operator's guide followed to the letter, on machines of Debian 12 that hold nothing yet.

What the guide's blocks say is read from it and done, under its own paths, accounts, names and ports, by systemd:
`db`, `w1`, `w2` and `c` are machines with a root folder, accounts, processes, host name and network of their
own (``machines.py``), as containers are. They share this one's kernel and clock; the shared folder and the
disk for back-ups are folders that they mount, where the guide has NFS. What is not the guide's is `FILLED`,
and certificates, of an authority of the test's own. `c` has nginx; the one that replaces it has Caddy.

A quarter to half an hour, and packages from Debian and PyPI: `make cluster` runs it, `make test` does not.
"""

import base64
import json
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from odds_pipeline.declarations.project import Project, project_root
from odds_pipeline.release.published import describe
from odds_pipeline.storage.home import Home

from ... import machines, services
from ...machines import Machine
from .cluster import ENDED, TWELVE, deliveries
from .unaided import embedded

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(machines.missing()), reason=f"to make machines: {machines.missing()}"),
]
FOLDER = project_root() / "docs" / "how-to"
GUIDE, SITE, PROXY = (
    (FOLDER / f"{name}.md").read_text()
    for name in ("deploy-on-a-server", "members-site", "reverse-proxy")
)
ON = {"db": 1, "w1": 11, "w2": 12, "c": 20}
"""The last number of each machine's address."""
DATABASE, BROKER, SIGN_IN = (secrets.token_hex(16) for _ in range(3))
FILLED = {
    "password=…": f"password={DATABASE}",
    "odds:…@db": f"odds:{DATABASE}@db",
    "redis://:…@db": f"redis://:{BROKER}@db",
}
"""What the guide leaves open in `/etc/odds.env`."""
ASKS = """
import http.client, socket, ssl, sys
host, path, body, *headers = sys.argv[1:]
site = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile="/etc/ssl/db.pem"), timeout=60)
headers = dict(header.split(": ", 1) for header in headers)
site.request("POST" if body else "GET", path, body or None, headers)
answer = site.getresponse()
print(answer.status)
if answer.status != 101:
    print(answer.read().decode())
"""
HALF = """
import socket, ssl, time
reached = socket.create_connection(("odds.example.fr", 443), 60)
trusted = ssl.create_default_context(cafile="/etc/ssl/db.pem")
with trusted.wrap_socket(reached, server_hostname="odds.example.fr") as site:
    begun = time.monotonic()
    site.sendall(b"GET / HTTP/1.1\\r\\nHost: odds.exam")
    site.recv(1)
    print(time.monotonic() - begun)
"""


def block(text: str, holding: str) -> str:
    """The fenced block of a guide that holds these words."""
    (found,) = (b for b in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S) if holding in b)
    return str(found)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def apt(line: str) -> str:
    """Nobody is there to answer."""
    assert line.startswith("apt-get install ")
    return f"apt-get update -qq && {line.replace('install', 'install -qq -y', 1)}"


def units() -> dict[str, str]:
    """What each service's unit says, by the command's name: the guide's, with its command."""
    said = block(GUIDE, "[Service]")
    services_of = GUIDE.partition("## 3. Services")[2].partition("\n## ")[0]
    made = {"worker": said}
    for command in re.findall(r"^- `odds ([a-z-]+[^`]*)`", services_of, re.M):
        name = command.split()[0]
        if name != "worker":
            start = f"ExecStart=/opt/odds/.venv/bin/odds {command}"
            made[name] = re.sub(r"^ExecStart=.*$", start, said, flags=re.M)
    assert set(made) == {"worker", "code-server", "coordinator", "ui", "extranet"}
    return made


def by_hand(command: str) -> str:
    (said,) = re.findall(r"^By hand, with the same settings: `(.+?)`", GUIDE, re.M)
    assert "odds health" in said
    return str(said).replace("odds health", f"odds {command}")


def prepare() -> str:
    (said,) = re.findall(r"^`(su odds [^`]+/odds prepare')`", GUIDE, re.M)
    return str(said)


@dataclass
class Walk:
    """The machines, and what they mount."""

    folder: Path
    lan: machines.Lan
    of: dict[str, Machine]
    begun: float

    @property
    def share(self) -> Path:
        return self.folder / "share"

    def tell(self, what: str) -> None:
        print(f"  {time.monotonic() - self.begun:4.0f} s  {what}", flush=True)

    def boot(self, name: str, lower: list[Path]) -> Machine:
        machine = self.of[name] = Machine(name, self.folder / f"{name}-{time.monotonic_ns()}", lower)
        named = "".join(f"{machines.NETWORK}.{number} {one}\n" for one, number in ON.items())
        named += f"{machines.NETWORK}.{ON['c']} odds.example.fr dagster.example.fr\n"
        machine.write("/etc/hosts", f"127.0.0.1 localhost\n{named}")
        mounts = {"/srv/odds": self.share, "/mnt/incoming": self.folder / "incoming"}
        if name == "c":
            mounts["/mnt/backup"] = self.folder / "backup"
        for folder in mounts.values():
            folder.mkdir(exist_ok=True)
        machine.start(self.lan, ON[name], {} if name == "db" else mounts)
        return machine

    def runs(self) -> dict[str, int]:
        query = "SELECT status, count(*) FROM runs GROUP BY status"
        said = self.of["db"].run(f"su postgres -c \"psql -At -F ' ' -c '{query}' odds_dagster\"")
        return {status: int(count) for status, count in (line.split() for line in lines(said))}

    def ask(
        self, host: str, path: str, *headers: str, body: str = "", on: str = "w1"
    ) -> tuple[int, str]:
        """What a reader on another machine is answered, to a form when there is a body."""
        words = " ".join(f"'{word}'" for word in (host, path, body, *headers))
        status, _, said = self.of[on].run(f"python3 - {words}", said=ASKS).partition("\n")
        return int(status), said


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    with machines.lan() as lan:
        begun = Walk(tmp_path, lan, {}, time.monotonic())
        try:
            yield begun
        finally:
            for machine in begun.of.values():
                machine.off()
            for left in tmp_path.iterdir():
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)


def certificates(folder: Path) -> None:
    """An authority, and what it signs for the database and for the sites."""
    folder.mkdir()
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=essai\n"
        "for name in db sites; do\n"
        "  openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name\n"
        "  named=DNS:odds.example.fr,DNS:dagster.example.fr; [ $name = sites ] || named=DNS:$name\n"
        '  printf "subjectAltName=$named" > $name.ext\n'
        "  openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile $name.ext -out $name.pem\n"
        "done",
        shell=True, cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def database_and_broker(walk: Walk, bare: Path) -> None:
    """Section 1."""
    packages, databases = lines(block(GUIDE, "createuser"))
    prepared = Machine("db", walk.folder / "db-installed", [bare])
    prepared.install(apt(packages))
    db = walk.boot("db", [prepared.own, bare])
    for end in ("pem", "key"):
        text = (walk.folder / "certificates" / f"db.{end}").read_text()
        db.run(f"install -o postgres -m 0600 /dev/stdin /etc/postgresql/15/main/db.{end}", said=text)
    # The settings that the guide's words name.
    said = GUIDE.partition("## 1. ")[2].partition("## 2. ")[0]
    for word in ("listen_addresses", "hostssl … scram-sha-256", "`bind`", "requirepass", "appendfsync"):
        assert word in said
    etc = "/etc/postgresql/15/main"
    db.write(
        f"{etc}/conf.d/odds.conf",
        f"listen_addresses = 'db'\nssl_cert_file = '{etc}/db.pem'\nssl_key_file = '{etc}/db.key'\n",
    )
    rule = f"hostssl all odds {machines.NETWORK}.0/24 scram-sha-256"
    db.run(f"echo '{rule}' >> {etc}/pg_hba.conf && systemctl restart postgresql")
    redis = f"bind {db.address}\nrequirepass {BROKER}\nappendonly yes\nappendfsync always\n"
    db.run("cat >> /etc/redis/redis.conf && systemctl restart redis-server", said=redis)
    db.run(databases, said=f"{DATABASE}\n{DATABASE}\n")


def project_installed(walk: Walk, bare: Path) -> list[Path]:
    """Section 2, what is the same on every machine: packages, and the project, once for all of them."""
    packages, *_, clone = lines(block(GUIDE, "useradd"))
    mounts, origin = {"/run/project": project_root()}, "git clone … /opt/odds"
    assert origin in clone
    one = Machine("installed", walk.folder / "installed", [bare])
    if (cache := Path.home() / ".cache" / "uv").is_dir():
        mounts["/root/.cache/uv"] = cache  # what was fetched once
    trusted = "git config --system --add safe.directory '*'"
    one.install(f"{apt(packages)}\n{trusted}\n{clone.replace('…', '/run/project')}", mounts)
    return [one.own, bare]


def account(walk: Walk, machine: Machine, share: bool = False) -> None:
    """Section 2, what each machine is told: the account, its file of settings; `share`: the shared folder."""
    if machine.name == "w2":
        machine.run("useradd --system before")  # machines are not all alike
    _, *said, _ = lines(block(GUIDE, "useradd"))
    said += [line for line in lines(block(GUIDE, "groupadd")) if "# once" not in line]
    for line in said:
        if share or "# once" not in line:
            machine.run(line)
    text = block(GUIDE, "ODDS_DEPLOYMENT=")
    for open_, filled in FILLED.items():
        assert open_ in text
        text = text.replace(open_, filled)
    assert "…" not in text
    if machine.name == "c":
        text += "ODDS_EXTRANET=/etc/odds-site.yaml\n"
        site = (project_root() / "resources" / "extranet.yaml").read_text()
        machine.write("/etc/odds-site.yaml", site + block(PROXY, "trusted_proxies"))
    machine.run("install -o odds -m 0600 /dev/stdin /etc/odds.env", said=text)
    machine.write("/etc/ssl/db.pem", (walk.folder / "certificates" / "ca.pem").read_text())


def landing_opened(walk: Walk) -> None:
    """Section 2, what is done once for those who deliver, and one of them: on `w1`, with a key."""
    c, sender = walk.of["c"], walk.of["w1"]
    for line in lines(block(GUIDE, "groupadd")):
        if "# once" in line:
            c.run(line)
    (added,) = re.findall(r"`(useradd [^`]*--gid depots caf)`", GUIDE)
    c.run(added)
    sender.run(
        "mkdir -p -m 0700 .ssh && rm -f .ssh/* && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519"
    )
    c.run(
        "install -d -o caf -m 0700 /home/caf/.ssh && "
        "install -o caf -m 0600 /dev/stdin /home/caf/.ssh/authorized_keys",
        said=sender.run("cat .ssh/id_ed25519.pub"),
    )
    c.write("/etc/ssh/sshd_config.d/odds.conf", block(GUIDE, "Match Group"))
    (reload,) = re.findall(r"^`(systemctl reload ssh)`", GUIDE, re.M)
    c.run(reload)
    # A machine that replaces another has keys of its own. Who is known gets no shell. A server that
    # reads its settings again does not answer for a moment.
    shell = "ssh -o StrictHostKeyChecking=accept-new caf@c id < /dev/null || true"
    said = "This service allows sftp connections only.\n"
    services.until(lambda: sender.run(shell) == said, 30, "the server for files answers")


def started(machine: Machine, *names: str) -> None:
    """Section 3."""
    for name in names:
        path = f"/etc/systemd/system/odds-{name}.service"
        machine.write(path, units()[name])
        assert machine.run(f"systemd-analyze verify {path} 2>&1") == ""
        machine.run(f"systemctl daemon-reload && systemctl enable --now odds-{name}")


def installs(proxy: str) -> str:
    """What `c` has besides: a proxy, and where files are delivered."""
    (one,) = re.findall(rf"^`(apt-get install {proxy})`", PROXY, re.M)
    (other,) = re.findall(r"`(apt-get install openssh-server)`", GUIDE)
    return f"{apt(one)} && {apt(other)}"


def proxied(walk: Walk, c: Machine, proxy: str) -> None:
    """The guide's whole file of nginx or of Caddy, with a certificate and a password."""
    (said,) = re.findall(rf"^## {proxy}$(.*?)(?=^## |\Z)", PROXY, re.M | re.S | re.I)
    (folder,) = re.findall(r"\(`(install -d -o www-data [^`]*)`; of Caddy: `-o caddy`\)", PROXY)
    account = "caddy" if proxy == "caddy" else "www-data"
    c.run(folder.replace("www-data", account))
    for name, end in (("fullchain", "pem"), ("privkey", "key")):
        text = (walk.folder / "certificates" / f"sites.{end}").read_text()
        c.run(f"install -o {account} -m 0400 /dev/stdin /etc/ssl/odds/{name}.pem", said=text)
    if proxy == "caddy":
        (command,) = re.findall(r"`(caddy hash-password)`", said)
        filled = c.run(command, said=f"{SIGN_IN}\n").strip()
    else:
        (command,) = re.findall(r"^`(printf [^`]*)`", said, re.M)
        c.run(command, said=f"{SIGN_IN}\n{SIGN_IN}\n")
        filled = "…"
    text = block(said, "odds.example.fr")
    assert ("equipe …" in text) == (proxy == "caddy")
    c.write(text.splitlines()[0].removeprefix("# "), text.replace("equipe …", f"equipe {filled}"))
    (command,) = re.findall(rf"^`([^`]* && systemctl restart {proxy})`", said, re.M)
    c.run(command)
    c.run(f"systemctl is-active {proxy}")


def guarded(walk: Walk, account: str) -> None:
    """Who guesses passwords is known by the address the proxy saw, and a slow sender is not waited for."""
    form = ("Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded")

    def guess(number: int, on: str) -> int:
        claimed = f"X-Forwarded-For: 192.0.2.{number}"
        body = f"email={account}&password=x"
        return walk.ask("odds.example.fr", "/connexion", *form, claimed, body=body, on=on)[0]

    assert [guess(number, "w1") for number in range(6)] == [401] * 5 + [429]
    assert guess(7, "w2") == 401
    assert 15 < float(walk.of["w1"].run("python3 -", said=HALF)) < 40


def seen_by_all(walk: Walk) -> None:
    """No command line of any machine holds a password, and nothing of the project is root's."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            owner = path.stat().st_uid
        except OSError:
            continue  # it has ended
        for secret in (DATABASE, BROKER, SIGN_IN):
            assert secret not in words, words
        assert owner != 0 or not words.startswith("/opt/odds"), words


def dropped(walk: Walk, month: list[Path], content: str, number: int) -> None:
    """Files appear in the landing folder; nobody touches anything until they are a release."""
    incoming = walk.folder / "incoming"
    for path in month:
        shutil.copy(path, incoming)
        (incoming / path.name).chmod(0o644)
    puts = "".join(f'put "/mnt/incoming/{path.name}"\n' for path in month)
    walk.of["w1"].run("sftp -b - caf@c", said=puts)
    current = walk.share / "releases" / "current"

    def published() -> bool:
        seen_by_all(walk)
        return (
            current.exists()
            and int(current.read_text()) >= number
            and describe(Home(walk.share), int(current.read_text())).content == content
        )

    services.until(published, 600, f"release {number} as one machine makes it")
    walk.tell(f"release {current.read_text().strip()} of {len(month)} files: {walk.runs()}")


def ended(walk: Walk) -> None:
    """What follows a release has been made as well, and no run failed on the way."""
    calm = 0.0

    def quiet() -> bool:
        nonlocal calm
        done = set(walk.runs()) <= ENDED
        calm = (calm or time.monotonic()) if done else 0.0
        return done and time.monotonic() - calm > 25  # longer than a look

    services.until(quiet, 900, f"runs ended ({walk.runs()})")
    assert set(walk.runs()) == {"SUCCESS"}
    walk.tell(f"all that follows it: {walk.runs()}")


def in_order(walk: Walk) -> None:
    """Every question of `odds health` is answered well, on each machine."""
    for name in ("w1", "w2", "c"):
        said = walk.of[name].run(f"{by_hand('health --json')} || true")
        wrong = [one for one in json.loads(said) if not one["ok"]]
        assert not wrong, (name, wrong)


def shown(walk: Walk, number: int) -> None:
    """Readers on another machine see release and publications through the proxy, engineers Dagster."""
    at, folder = "odds.example.fr", walk.share / "publications"
    page = f"/e/{number}/territoires/93008"
    services.until(lambda: walk.ask(at, page)[0] == 200, 60, f"release {number} on the site")
    assert "Bobigny" in walk.ask(at, page)[1]

    def printed() -> bool:
        made = any(folder.glob(f"{number:04d}/*/portrait_social")) and any(folder.glob("comites/*/*"))
        return made and "pas encore publié" not in walk.ask(at, "/territoires/93008/portrait")[1]

    services.until(printed, 600, f"portraits and committees' pages ({walk.runs()})")
    walk.tell(f"on the site: {sorted(str(path.relative_to(folder)) for path in folder.glob('*/*/*'))}")
    signed = f"Authorization: Basic {base64.b64encode(f'equipe:{SIGN_IN}'.encode()).decode()}"
    dagster, upgrade = "dagster.example.fr", ("Connection: Upgrade", "Upgrade: websocket")
    assert walk.ask(dagster, "/server_info")[0] == 401
    assert "dagster_version" in walk.ask(dagster, "/server_info", signed)[1]
    key = f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}"
    words = (*upgrade, key, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: graphql-ws")
    assert walk.ask(dagster, "/graphql", signed, *words)[0] == 101
    for port in (8080, 3000, 4266):
        listens = walk.of["c"].run(f"ss -Htln 'sport = :{port}'").split()[3]
        assert listens.replace("[::ffff:127.0.0.1]", "127.0.0.1") == f"127.0.0.1:{port}"


def invited(walk: Walk) -> None:
    """The first administrator's address opens, at the site's own name."""
    (line,) = re.findall(r"^odds (account create-admin .*)$", block(SITE, "create-admin"), re.M)
    (address,) = re.findall(r"https://\S+", walk.of["c"].run(by_hand(line)))
    host, _, path = address.removeprefix("https://").partition("/")
    status, body = walk.ask(host, f"/{path}")
    assert status == 200 and "mot de passe" in body


def closed(walk: Walk) -> None:
    """Nothing is to be read by others than the account; no log holds a password; no service began twice."""
    for name in ("w1", "w2", "c"):
        machine = walk.of[name]
        for place in ("/srv/odds", "/var/lib/odds", "/etc/odds.env", "/mnt/backup"):
            read = f"su nobody -s /bin/sh -c 'test ! -e {place} || find {place} -readable 2>/dev/null'"
            assert machine.run(f"{read} || true") == "", place
        inside = "find /srv/odds /var/lib/odds -mindepth 1 -perm /077 ! -path '/srv/odds/landing*'"
        assert machine.run(inside) == ""
        machine.run(
            "su odds -s /bin/sh -c 'test ! -w /opt/odds && ! touch /opt/odds/.venv/x 2>/dev/null'"
        )
        for secret in (DATABASE, BROKER, SIGN_IN):
            machine.run(f"journalctl --no-pager | grep -F {secret}", status=1)
            machine.run(f"grep -rlF {secret} /srv/odds /var/lib/odds /var/log /tmp", status=1)
        begun = machine.run("systemctl show 'odds-*' -P NRestarts").split()
        assert set(begun) == {"0"}, (name, begun)
    walk.of["w1"].run("sftp -b - caf@c", said="ls /srv/odds/archive\n", status=1)
    for secret in (DATABASE, BROKER):
        walk.of["db"].run(f"grep -rF {secret} /var/log", status=1)


def backed_up(walk: Walk) -> str:
    """The line of cron.d, as cron runs it; the folder that it makes."""
    c = walk.of["c"]
    (made,) = re.findall(r"`(install [^`]* /mnt/backup)`", GUIDE)
    c.run(made)
    head, line = lines(block(GUIDE, "/etc/cron.d/odds"))
    assert head == "# /etc/cron.d/odds" and line.startswith("15 3 * * * ")
    said, night = line.removeprefix("15 3 * * * "), "/var/lib/odds/night"
    c.run("cat > /etc/cron.d/odds", said=f"* * * * * {said} > {night} 2>&1 && touch {night}.told\n")

    def whole() -> bool:
        seen_by_all(walk)
        return c.run(f"ls {night}.told 2>/dev/null || true") != ""

    try:
        services.until(whole, 300, "the nightly back-up")
    except TimeoutError as error:
        raise AssertionError(c.run(f"cat {night}; journalctl -u cron --no-pager")) from error
    c.run(f"rm /etc/cron.d/odds {night}*")
    return f"/mnt/backup/{c.run('ls /mnt/backup').split()[0]}"


def lost_and_restored(walk: Walk, installed: list[Path], kept: str) -> None:
    """The share is empty, the databases are gone, and `c` is a new machine; what the guides say then."""
    for name in ("w1", "w2", "c"):
        walk.of[name].run("systemctl stop 'odds-*'")
    c, db = walk.of["c"], walk.of["db"]
    c.run("find /srv/odds -mindepth 1 -delete")
    c.off()
    db.run("su postgres -c 'dropdb odds_lake && dropdb odds_dagster'")
    (said,) = re.findall(r"`(createdb [^`]*&& createdb [^`]*)`", GUIDE)
    db.run(f"su postgres -c '{said}'")

    c = walk.boot("c", installed)
    account(walk, c)
    c.run(by_hand(f"restore {kept}"))
    answers = json.loads(c.run(f"{by_hand('verify --json')} || true"))
    wrong = {one["name"] for one in answers if not one["ok"]}
    assert wrong - {"coordinator"} == {"workers"}, (
        answers
    )  # none is started; the other's last sign was kept


def test_the_guide_leads_to_releases_unaided(project: Project, walk: Walk, tmp_path: Path) -> None:
    first = deliveries(project, tmp_path / "first", "2024-12")
    second = deliveries(project, tmp_path / "second", "2025-01")
    assert len(first) >= len(TWELVE)
    contents = [
        embedded(Home(tmp_path / "alone"), tmp_path / name).content for name in ("first", "second")
    ]
    walk.tell("both months on one machine")

    certificates(tmp_path / "certificates")
    bare = machines.bare(tmp_path / "bare")
    walk.tell("Debian")
    database_and_broker(walk, bare)
    walk.tell("1. database and broker")
    installed = project_installed(walk, bare)
    on_c = {}
    for proxy in ("nginx", "caddy"):
        more = Machine(proxy, tmp_path / proxy, installed)
        more.install(installs(proxy))
        on_c[proxy] = [more.own, *installed]
    walk.tell("2. the project, and proxies")
    for name in ("w1", "w2"):
        walk.boot(name, installed)
    c = walk.boot("c", on_c["nginx"])
    for name in ("w1", "w2", "c"):
        account(walk, walk.of[name], share=name == "c")
    assert {machine.run("id -u odds") for name, machine in walk.of.items() if name != "db"} == {"980\n"}
    c.run(prepare())
    landing_opened(walk)
    walk.tell("prepared")
    for name in ("w1", "w2"):
        started(walk.of[name], "worker")
    started(c, "code-server", "coordinator", "ui", "extranet")
    proxied(walk, c, "nginx")
    walk.tell("3. services")

    dropped(walk, first, contents[0], 1)
    shown(walk, 1)
    guarded(walk, "premier@exemple.fr")
    ended(walk)
    in_order(walk)
    invited(walk)
    kept = backed_up(walk)
    walk.tell(f"backed up: {kept}")
    closed(walk)

    lost_and_restored(walk, on_c["caddy"], kept)
    c = walk.of["c"]
    landing_opened(walk)
    walk.tell("lost and restored")
    for name in ("w1", "w2"):
        walk.of[name].run("systemctl start odds-worker")
    started(c, "code-server", "coordinator", "ui", "extranet")
    proxied(walk, c, "caddy")
    dropped(walk, second, contents[1], 2)
    shown(walk, 2)
    guarded(walk, "second@exemple.fr")
    ended(walk)
    in_order(walk)
    closed(walk)
    walk.tell("in order")
