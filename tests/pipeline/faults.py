"""Kinds of damage that deliveries suffer in life, as a table: what is done, and what must tell it.

Each damage changes a good delivery, written as its partner would write it. ``told`` names the rules any
of which must refuse or signal it; ``illisible`` (cannot be opened), ``structure`` (a contract's file that
does not fit) and ``mis de côté`` (no contract's file) are the reception's own answers.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

Rows = list[list[str]]


class NotApplicable(Exception):
    """This kind of feed cannot suffer this damage."""


@dataclass
class Delivery:
    """A good file: rows with the header first, where the code and the figures are, and the months before."""

    name: str
    rows: Rows
    code: int
    values: list[int]
    decimal: str
    secret: str | None
    mixed: bool
    past: list["Delivery"] = field(default_factory=list)
    content: bytes | None = None
    column: int = 0
    totals: list[tuple[int, list[int]]] = field(default_factory=list)
    parts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def body(self) -> Rows:
        return self.rows[1:]

    @property
    def text(self) -> str:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=";", lineterminator="\n").writerows(self.rows)
        return out.getvalue()

    @property
    def bytes(self) -> bytes:
        return self.text.encode() if self.content is None else self.content

    def need(self, condition: object, why: str) -> None:
        if not condition:
            raise NotApplicable(why)

    def number(self, row: list[str], column: int) -> float | None:
        try:
            return float(row[column].replace("\u202f", "").replace(",", "."))
        except ValueError:
            return None

    def write(self, value: float) -> str:
        return f"{value:.3f}".rstrip("0").rstrip(".").replace(".", self.decimal)

    def scale(self, column: int, factor: float, rows: Rows | None = None) -> None:
        for row in self.body if rows is None else rows:
            value = self.number(row, column)
            if value is not None:
                row[column] = self.write(value * factor)

    def spoil(self, cell: str) -> None:
        """Write that in the first column of figures, of the last row, or of all where only some are read."""
        for row in self.body if self.mixed else self.body[-1:]:
            row[self.first] = cell

    @property
    def first(self) -> int:
        """The first column of figures; none when rows are only counted."""
        self.need(self.values, "rows are counted, no figure")
        return self.values[0]

    def large(self) -> int:
        """The column whose figures are largest: those that a comparison can rest on."""
        self.need(self.values, "rows are counted, no figure")
        sums = {c: sum(self.number(r, c) or 0 for r in self.body) for c in self.values}
        return max(sums, key=lambda c: sums[c])

    def plain_rows(self) -> None:
        """Rows are territories and columns are figures: not one row a category or an establishment."""
        self.need(not self.mixed, "several rows for one territory")

    def communes(self) -> None:
        self.plain_rows()
        self.need(len(self.body) >= 15, "one territory")
        sizes = sorted(self.number(row, self.large()) or 0 for row in self.body)
        alike = sizes[len(sizes) // 10] * 2 > sizes[-len(sizes) // 10]
        self.need(not alike, "territories too alike to tell one from another")

    def rank(self) -> Rows:
        """Rows by size of the largest column."""
        column = self.large()
        return sorted(self.body, key=lambda row: self.number(row, column) or 0)


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


Change = Callable[[Delivery], None]


@dataclass(frozen=True)
class Damage:
    """One row of the table."""

    kind: str
    told: frozenset[str]
    change: Change


TABLE: list[Damage] = []


def damage(kind: str, *told: str) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        TABLE.append(Damage(kind, frozenset(told), change))
        return change

    return keep


HARMLESS: list[tuple[str, Change]] = []
"""What programs do to a file that changes none of its figures, and is to be read all the same."""


def harmless(kind: str) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        HARMLESS.append((kind, change))
        return change

    return keep


UNREADABLE = ("illisible", "mis de côté")
NO_CONTRACT = ("structure", "mis de côté")

# ── the file itself ────────────────────────────────────────────────────────────────────────────


@damage("zéro octet", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = b""


@damage("rien que des espaces", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = b" \n" * 5000


@damage("archive tronquée", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = zipped("a.csv", d.bytes)[:-40]


@damage("archive dans une archive", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = zipped("a.zip", zipped("a.csv", d.bytes))


@damage("archive vide", *UNREADABLE)
def _(d: Delivery) -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    d.content = out.getvalue()


@damage("octets nuls", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = d.bytes[:200] + b"\x00" * 64 + d.bytes[200:]


@damage("ancien format Excel", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000


@damage("UTF-16 sans marque", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = d.text.encode("utf-16-le")


@damage("page web d'erreur", *UNREADABLE)
def _(d: Delivery) -> None:
    d.content = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"


@damage(
    "fichier tronqué", "toutes_les_communes", "lignes", "couverture", "valeurs_manquantes", *NO_CONTRACT
)
def _(d: Delivery) -> None:
    d.need(len(d.body) >= 5, "one territory")
    d.content = d.bytes[: int(len(d.bytes) * 0.55)]


@damage("séparateurs perdus", *NO_CONTRACT)
def _(d: Delivery) -> None:
    d.content = d.text.replace(";", " ").encode()


# ── header ─────────────────────────────────────────────────────────────────────────────────────


@damage("colonne renommée", "colonnes_disparues", *NO_CONTRACT)
def _(d: Delivery) -> None:
    d.rows[0][d.column] += "_V2"


@damage("colonne absente", "colonnes_disparues", *NO_CONTRACT)
def _(d: Delivery) -> None:
    for row in d.rows:
        del row[d.column]


@damage("colonne du territoire renommée", *NO_CONTRACT)
def _(d: Delivery) -> None:
    d.rows[0][d.code] = "TERRITOIRE_ETUDE"


@damage("en-tête absent", *NO_CONTRACT)
def _(d: Delivery) -> None:
    del d.rows[0]


@damage("rien que l'en-tête", *NO_CONTRACT)
def _(d: Delivery) -> None:
    del d.rows[1:]


@damage("colonne en double", "lignes")
def _(d: Delivery) -> None:
    for row in d.rows:
        row.append(row[d.column])


@damage("accents perdus dans l'en-tête", "colonnes_disparues", *NO_CONTRACT)
def _(d: Delivery) -> None:
    d.rows[0][d.column] = "\ufffd" + d.rows[0][d.column][1:]


@damage("tableau transposé", *NO_CONTRACT)
def _(d: Delivery) -> None:
    d.rows = [list(row) for row in zip(*d.rows, strict=True)]


# ── lines ──────────────────────────────────────────────────────────────────────────────────────


@damage("ligne trop courte", "lignes")
def _(d: Delivery) -> None:
    d.body[len(d.body) // 2].pop()


@damage("ligne trop longue", "lignes")
def _(d: Delivery) -> None:
    d.body[len(d.body) // 2].append("12")


@damage("cellule insérée dans une ligne", "lignes")
def _(d: Delivery) -> None:
    d.body[len(d.body) // 2].insert(d.column, "12")


@damage("accents perdus dans une cellule", "caracteres_perdus")
def _(d: Delivery) -> None:
    for row in d.rows:
        row.insert(len(row) - 1, "LIBELLE" if row is d.rows[0] else "Quartier du Pr\ufffd")


# ── territories ────────────────────────────────────────────────────────────────────────────────


@damage("une commune manque", "toutes_les_communes", "couverture")
def _(d: Delivery) -> None:
    d.need(len({row[d.code][:5] for row in d.body}) >= 5, "one territory")
    code = d.rank()[-1][d.code][:5]
    d.rows = [row for row in d.rows if row[d.code][:5] != code]


@damage("une commune deux fois", "territoires_uniques", "lignes_repetees")
def _(d: Delivery) -> None:
    d.need(len({tuple(row) for row in d.body}) == len(d.body), "rows repeat by nature")
    d.rows.append(list(d.body[-1]))


@damage(
    "un code qui n'existe pas",
    "territoires_connus",
    "colonnes_disparues",
    "couverture",
    "quartiers_inconnus",
)
def _(d: Delivery) -> None:
    d.need(len(d.body) >= 5, "one territory")
    code = d.body[3][d.code]
    d.body[3][d.code] = "93999" + code[5:]


@damage("le premier chiffre des codes perdu", "territoires_connus", "toutes_les_communes", *NO_CONTRACT)
def _(d: Delivery) -> None:
    for row in d.body:
        row[d.code] = row[d.code][1:]


@damage("les codes sont des noms", "territoires_connus", *NO_CONTRACT)
def _(d: Delivery) -> None:
    for i, row in enumerate(d.body):
        row[d.code] = f"Commune {i}"


@damage("un autre département", *NO_CONTRACT)
def _(d: Delivery) -> None:
    for row in d.body:
        row[d.code] = "94" + row[d.code][2:]


@damage("deux communes échangées", "communes_echangees", "evolution")
def _(d: Delivery) -> None:
    d.communes()
    ranked = d.rank()
    a, b = ranked[len(ranked) // 3], ranked[-2]
    a[d.code], b[d.code] = b[d.code], a[d.code]


@damage("figures décalées d'une ligne", "territoires_melanges")
def _(d: Delivery) -> None:
    d.communes()
    rows = [list(row) for row in d.body]
    for row, above in zip(d.body, [rows[-1], *rows], strict=False):
        for column in d.values:
            row[column] = above[column]


@damage(
    "une colonne décalée d'une ligne",
    "territoires_melanges",
    "parties_dans_le_tout",
    "parties_egales_au_tout",
)
def _(d: Delivery) -> None:
    d.communes()
    column = d.large()
    cells = [row[column] for row in d.body]
    for row, cell in zip(d.body, [cells[-1], *cells], strict=False):
        row[column] = cell


@damage("codes triés sans les figures", "territoires_melanges")
def _(d: Delivery) -> None:
    d.communes()
    codes = [row[d.code] for row in d.rank()]
    for row, code in zip(d.body, codes, strict=True):
        row[d.code] = code


# ── figures ────────────────────────────────────────────────────────────────────────────────────


@damage("un effectif négatif", "pas_trop_petit", "lisible")
def _(d: Delivery) -> None:
    d.spoil("-12")


@damage("un texte", "lisible")
def _(d: Delivery) -> None:
    d.spoil("à vérifier")


@damage("une erreur de tableur", "lisible")
def _(d: Delivery) -> None:
    d.spoil("#REF!")


@damage("une date de tableur", "lisible")
def _(d: Delivery) -> None:
    d.spoil("12/05/2024")


@damage("une marque inconnue", "lisible")
def _(d: Delivery) -> None:
    d.spoil("§")


@damage("l'autre séparateur décimal", "lisible")
def _(d: Delivery) -> None:
    # Three decimals may be thousands; a whole column of 12.5 leaves no doubt, and is read.
    d.spoil("1.250" if d.decimal == "," else "1,250")


@damage("milliers séparés par des virgules", "lisible")
def _(d: Delivery) -> None:
    d.spoil("1,234,567")


@damage("un nombre en lettre O", "lisible")
def _(d: Delivery) -> None:
    d.spoil("1O2")


@damage("toutes les cellules vides", "au_moins_une_valeur", "valeurs_manquantes")
def _(d: Delivery) -> None:
    d.need(d.values, "rows are counted, no figure")
    for row in d.body:
        for column in d.values:
            row[column] = ""


@damage("une colonne vidée", "valeurs_manquantes", "au_moins_une_valeur")
def _(d: Delivery) -> None:
    column = d.large()
    for row in d.body:
        row[column] = ""


@damage("une colonne à zéro", "colonne_a_zero", "saut_d_unite", "au_moins_une_valeur")
def _(d: Delivery) -> None:
    column = d.large()
    for row in d.body:
        row[column] = "0"


@damage("secret devenu zéro", "secret_devenu_zero")
def _(d: Delivery) -> None:
    d.communes()
    d.need(d.secret is not None, "no mark of secrecy")
    for one in d.past:
        for row in one.body:
            row[one.first] = str(d.secret) if row in one.body[:6] else (row[one.first] or "70")
    for row in d.body:
        hidden = row in d.body[:6] or row[d.first] == d.secret
        row[d.first] = "0" if hidden else str(int(d.number(row, d.first) or 70))


@damage("une colonne dix fois trop grande", "saut_d_unite", "pas_trop_grand")
def _(d: Delivery) -> None:
    d.scale(d.large(), 10)


@damage("fraction devenue pourcentage", "saut_d_unite", "pas_trop_grand")
def _(d: Delivery) -> None:
    d.scale(d.large(), 100)


@damage("unités devenues milliers", "saut_d_unite", "lisible", "parties_dans_le_tout")
def _(d: Delivery) -> None:
    d.scale(d.large(), 0.001)


@damage(
    "deux colonnes échangées",
    "colonnes_echangees",
    "colonne_demesuree",
    "parties_dans_le_tout",
    "niveau_general",
    "parties_egales_au_tout",
    "evolution_generale",
    "pas_trop_grand",
)
def _(d: Delivery) -> None:
    d.plain_rows()
    d.need(len(d.values) >= 2, "one column")
    a = d.large()
    b = min(d.values, key=lambda c: abs(sum(d.number(r, c) or 0 for r in d.body)))
    for row in d.body:
        row[a], row[b] = row[b], row[a]


@damage(
    "figures décalées d'une colonne",
    "niveau_general",
    "parties_dans_le_tout",
    "parties_egales_au_tout",
    "colonnes_echangees",
    "evolution_generale",
    "saut_d_unite",
    "pas_trop_grand",
)
def _(d: Delivery) -> None:
    d.plain_rows()
    d.need(len(d.values) >= 2, "one column")
    for row in d.body:
        cells = [row[c] for c in d.values]
        for column, cell in zip(d.values, [cells[-1], *cells], strict=False):
            row[column] = cell


@damage(
    "une cellule dix fois trop grande",
    "evolution",
    "parties_dans_le_tout",
    "parties_egales_au_tout",
    "pas_trop_grand",
)
def _(d: Delivery) -> None:
    d.communes()
    d.scale(d.large(), 10, d.rank()[-3:-2])


@damage(
    "une cellule recopiée partout",
    "valeurs_toutes_egales",
    "parties_dans_le_tout",
    "parties_egales_au_tout",
)
def _(d: Delivery) -> None:
    d.communes()
    column = d.large()
    cell = d.rank()[len(d.body) // 2][column]
    for row in d.body:
        row[column] = cell


@damage(
    "une cellule tirée vers le bas",
    "suite_reguliere",
    "parties_dans_le_tout",
    "parties_egales_au_tout",
)
def _(d: Delivery) -> None:
    """From the middle on, as a spreadsheet goes on with a number."""
    d.communes()
    column, middle = d.large(), len(d.body) // 2
    first = max(d.number(row, column) or 0 for row in d.body)
    for rank, row in enumerate(d.body[middle:]):
        row[column] = d.write(first + rank)


@damage("une partie au-dessus du tout", "parties_dans_le_tout", "parties_egales_au_tout")
def _(d: Delivery) -> None:
    d.plain_rows()
    d.need(d.parts, "no part")
    part, whole = d.parts[0]
    row = d.rank()[-1]
    row[part] = d.write((d.number(row, whole) or 0) * 1.5 + 20)


@damage("des parties qui ne font pas le tout", "parties_egales_au_tout")
def _(d: Delivery) -> None:
    d.plain_rows()
    d.need(d.totals, "no total")
    for total, parts in d.totals[:1]:
        d.scale(parts[0], 0.5)
        d.need(total not in parts, "")


@damage(
    "une autre population (la région pour le département)",
    "niveau_general",
    "evolution_generale",
    "somme_des_communes",
    "pas_trop_grand",
)
def _(d: Delivery) -> None:
    codes = {row[d.code] for row in d.body}
    d.need(len(codes) >= 10 or len(min(codes)) < 5, "few territories")
    d.need(d.values and len(d.body) < 1000, "rows are counted")
    for column in d.values:
        d.scale(column, 3.2)


# ── period ─────────────────────────────────────────────────────────────────────────────────────


@damage("les figures du mois d'avant", "copie_d_un_autre_mois")
def _(d: Delivery) -> None:
    d.need(d.past and len(d.past[-1].rows) >= 15, "one territory")
    d.plain_rows()
    large = sum((d.number(r, c) or 0) >= 100 for r in d.past[-1].body for c in d.values)
    d.need(large >= 45, "too few large figures")
    for row in d.body:
        twin = next((r for r in d.past[-1].body if r[d.code] == row[d.code]), None)
        if twin is not None:
            for column in d.values:
                row[column] = twin[column]


# ── what changes no figure ─────────────────────────────────────────────────────────────────────


def _one_row_a_commune(d: Delivery) -> None:
    d.communes()
    d.need(all(len(row[d.code]) == 5 for row in d.body), "codes are no communes'")


def _add(d: Delivery, label: str, factor: float = 1) -> None:
    """A row that is the sum of the others, under that label."""
    _one_row_a_commune(d)
    row = [""] * len(d.rows[0])
    row[d.code] = label
    for column in d.values:
        row[column] = d.write(factor * sum(d.number(r, column) or 0 for r in d.body))
    d.rows.append(row)


def _total(label: str) -> None:
    harmless(f"une ligne « {label} » qui fait la somme")(lambda d: _add(d, label))
    damage(f"une ligne « {label} » qui ne fait pas la somme", "lignes")(lambda d: _add(d, label, 1.2))


for _label in ("Ensemble", "Seine-Saint-Denis", "93", "093", "TOTAL 93", "", "Tous", "Département"):
    _total(_label)


def _codes(kind: str, spoil: Callable[[str], str]) -> None:
    def change(d: Delivery) -> None:
        for row in d.body:
            row[d.code] = spoil(row[d.code])

    harmless(kind)(change)


_codes("codes en nombres à virgule", lambda code: f"{code}.0")
_codes("codes en formules", lambda code: f'="{code}"')
_codes("codes après une apostrophe", lambda code: f"'{code}")
_codes("codes entre espaces insécables", lambda code: f"\u00a0{code}\u00a0")
_codes("codes suivis d'un espace sans largeur", lambda code: f"{code}\u200b")


_codes(
    "codes avec une espace entre les milliers",
    lambda code: f"{int(code):,}".replace(",", " ") if code.isdecimal() and code[0] != "0" else code,
)


@damage("un second tableau sous le premier", "lignes")
def _(d: Delivery) -> None:
    _one_row_a_commune(d)
    second = [[*row] for row in d.rows]
    for row in second[1:]:
        row[d.first] = d.write(1.1 * (d.number(row, d.first) or 0))
    d.rows += second


@harmless("un en-tête à chaque page imprimée")
def _(d: Delivery) -> None:
    _one_row_a_commune(d)
    d.rows.insert(len(d.rows) // 2, list(d.rows[0]))


@harmless("une note dans la colonne des codes et une autre")
def _(d: Delivery) -> None:
    d.need(len(d.rows[0]) > 2, "two columns")
    row = [""] * len(d.rows[0])
    row[d.code], row[(d.code + 1) % len(row)] = "Note :", "données arrêtées au 5 décembre"
    d.rows.append(row)


@harmless("une note hors de la colonne des codes")
def _(d: Delivery) -> None:
    _one_row_a_commune(d)
    row = [""] * len(d.rows[0])
    row[(d.code + 1) % len(row)] = "Source : extraction du 5 décembre"
    d.rows.append(row)


@harmless("lignes et colonnes vides")
def _(d: Delivery) -> None:
    for row in d.rows:
        row += [""] * 300
    d.rows += [[""] * len(d.rows[0]) for _ in range(300)]


@harmless("dans une archive, avec une notice et ce qu'y met un Mac")
def _(d: Delivery) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"__MACOSX/._{d.name}", b"\x00\x05")
        archive.writestr("notice.pdf", b"%PDF-1.4")
        archive.writestr(d.name, d.bytes)
    d.content = out.getvalue()


@harmless("colonnes dans l'autre ordre")
def _(d: Delivery) -> None:
    d.need(len(set(d.rows[0])) == len(d.rows[0]), "columns of one name")
    d.rows = [row[::-1] for row in d.rows]


@harmless("fins de ligne d'un ancien Mac, en UTF-16")
def _(d: Delivery) -> None:
    d.content = b"\xfe\xff" + d.text.replace("\n", "\r").encode("utf-16-be")


@harmless("tabulations")
def _(d: Delivery) -> None:
    d.need("\t" not in d.text, "holds tabs")
    d.content = d.text.replace(";", "\t").encode()


@harmless("en gzip")
def _(d: Delivery) -> None:
    d.content = gzip.compress(d.bytes)


@damage(
    "un millier écrit avec la décimale",
    "effectif_entier",
    "lisible",
    "parties_dans_le_tout",
    "saut_d_unite",
    "evolution",
)
def _(d: Delivery) -> None:
    column = d.large()
    numbers = [n for row in d.body if (n := d.number(row, column)) is not None]
    d.need(len(numbers) >= 10 and all(n.is_integer() for n in numbers), "figures with decimals")
    d.rank()[-1][column] = f"1{d.decimal}234"


# ── what no double holds ───────────────────────────────────────────────────────────────────────

for _cell in (
    "1E+999",
    "9" * 400,
    "12345678901234567",
    "1,23E+05",
    "4.5E+08",
    "−12",
    "1\u2009234",
    "1'234",
):

    def _huge(d: Delivery, cell: str = _cell) -> None:
        d.spoil(cell.replace(",", d.decimal))

    damage(f"un nombre écrit {_cell[:20]}", "lisible")(_huge)


@damage("un guillemet jamais refermé", *UNREADABLE)
def _(d: Delivery) -> None:
    lines = d.text.splitlines()
    d.need(len(lines) > 4, "too short")
    lines[2] = f'{lines[2].rpartition(";")[0]};"'
    d.content = "\n".join(lines).encode()
