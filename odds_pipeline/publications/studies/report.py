"""A study as a document: map, ranking with intervals, classes, dimensions, method."""

from collections.abc import Hashable, Iterator, Mapping
from math import isnan
from typing import Any

from odds_pipeline.charts import Ground, Ranked, atlas, classed, ranking
from odds_pipeline.charts.scatter import Axis, Point, scatter
from odds_pipeline.charts.tree import Join, Leaf, tree
from odds_pipeline.declarations.project import Project
from odds_pipeline.french import NONE, french_month, french_number
from odds_pipeline.publications.documents import (
    Block,
    Bullets,
    Chart,
    Column,
    Document,
    Heading,
    PageBreak,
    Paragraph,
    Side,
    Table,
)
from odds_pipeline.publications.origin import SIMULATED, About, footer
from odds_pipeline.publications.studies.composite import cronbach_alpha
from odds_pipeline.publications.studies.profile import SIGNIFICANT, profile
from odds_pipeline.publications.studies.study import StudyResult

DRAFT = "BROUILLON NON PUBLIABLE – les conditions de publication de l’étude ne sont pas remplies"
MAP, PLANE, TREE = 0.64, 0.8, 0.8
"""Widths of a map, the plane and the tree, of the page: names of communes are then over 7 points."""
AXES = 3
"""Axes whose correlations with the indicators are printed."""
FACTORS = {
    "data": "l’incertitude des données, où elle est connue",
    "normalisation": "la mise à l’échelle des indicateurs",
    "aggregation": "la moyenne, arithmétique ou géométrique",
    "indicator": "le retrait d’un indicateur",
    "weights": "les poids des dimensions, à ± 25 %",
}


def _number(value: float, decimals: int = 1) -> str:
    return french_number(value, decimals)


def document(
    project: Project,
    result: StudyResult,
    about: About,
    ground: Ground,
    households: Mapping[str, float] | None = None,
) -> Document:
    """The document; a draft says on every page that it is one, and first of all why.

    ``households`` of each commune stand beside its rank: a rank says nothing of how many they are.
    """
    banners = [DRAFT] if result.refusals else []
    banners += [SIMULATED] if result.simulated else []
    return Document(
        title=result.study.label,
        subtitle=result.study.description,
        footer=footer(project.observatory, about, "Étude", short=True),
        date=about.published_at,
        blocks=tuple(_Report(project, result, ground, households or {}).blocks()),
        banner=" – ".join(banners),
        keywords=(*result.study.keywords, project.observatory.territory),
    )


class _Report:
    def __init__(
        self,
        project: Project,
        result: StudyResult,
        ground: Ground,
        households: Mapping[str, float],
    ) -> None:
        self.households = households
        self.result, self.ground, self.study = result, ground, result.study
        self.labels = {t.code: t.label for t in project.territories.communes(result.study.geography)}
        self.sheets = {i: project.indicators[i].indicator for i in result.study.indicators}
        self.symbols = {i: project.units[s.unit].symbol for i, s in self.sheets.items()}
        self.order = list(result.ranks.sort_values(kind="stable").index)
        self.used = [d for d in self.study.dimensions if d in result.scores.columns]
        self.kinds = sorted(set(result.typology.classes))
        self.profile = profile(project, result)

    def blocks(self) -> Iterator[Block]:
        yield from self._warnings()
        yield from self._index()
        yield from self._coherence()
        yield from self._ranking()
        yield from self._robustness()
        yield from self._classes()
        yield from self._tables()
        yield from self._method()
        yield from self._inputs()

    def _warnings(self) -> Iterator[Block]:
        if self.result.refusals:
            yield Paragraph("Brouillon de travail. L’étude ne peut pas être publiée :", "alert")
            for finding in self.result.refusals:
                yield Paragraph(f"{finding.message} {finding.remedy}")
                yield Bullets(tuple(str(row["detail"]) for row in finding.rows if row.get("detail")))
        if self.result.simulated:
            yield Paragraph(
                "Ce document est fait de données simulées : il montre la forme de l’étude, non la "
                "situation des communes.",
                "alert",
            )

    def _index(self) -> Iterator[Block]:
        names = [self.study.dimensions[d].label.lower() for d in self.used]
        yield Paragraph(
            f"L’indice résume {len(self.result.values.columns)} indicateurs en {len(self.used)} "
            f"dimensions ({', '.join(names)}). Il va de 0 à 100 ; plus il est élevé, plus la commune "
            f"est fragile. Les plus fragiles : {self._named(self.order[:5])}. Les moins fragiles : "
            f"{self._named(self.order[::-1][:5])}.",
            "lead",
        )
        index = self.result.scores["index"]
        values = {code: float(index[code]) if code in index else None for code in self.labels}
        title, worse = "Indice de fragilité", "lower_is_better"
        one = atlas("carte-indice", title, self.ground, values, _number, direction=worse)
        said = f"Indice de fragilité. {self.ground.source}"
        yield Chart(one, self._index_words(values), said, MAP)

    def _named(self, codes: list[str]) -> str:
        return ", ".join(self.labels[c] for c in codes)

    def _index_words(self, values: dict[str, float | None]) -> str:
        first, last = self.order[0], self.order[-1]
        known = [v for v in values.values() if v is not None]
        return (
            f"Carte de l’indice de fragilité : de {_number(min(known))} ({self.labels[last]}) à "
            f"{_number(max(known))} ({self.labels[first]}). Les valeurs sont dans le tableau."
        )

    def _class_map(self) -> Chart:
        names = [self._class_name(kind) for kind in self.kinds]
        classes = {str(c): self._class_name(k) for c, k in self.result.typology.classes.items()}
        drawn = classed("carte-classes", "Typologie des communes", self.ground, classes, names)
        return Chart(drawn, self._class_words(), "Typologie des communes.", MAP)

    def _class_name(self, kind: int) -> str:
        return f"Classe {kind}"

    def _members(self, kind: int) -> list[str]:
        classes = self.result.typology.classes
        return [c for c in self.order if classes[c] == kind]

    def _class_words(self) -> str:
        return "Carte de la typologie. " + " ".join(
            f"{self._class_name(kind)} : {self._named(self._members(kind))}." for kind in self.kinds
        )

    def _ranking(self) -> Iterator[Block]:
        yield PageBreak()
        yield Heading("Classement des communes, avec son incertitude")
        spread = self.result.sensitivity
        yield Paragraph(
            f"Le point est le rang de la commune, la barre l’intervalle où tombent 90 % de ses rangs "
            f"quand changent la méthode et, où leur incertitude est connue (intervalle de confiance, "
            f"arrondi du producteur), les données ({french_number(spread.runs, 0)} variantes). "
            f"Deux communes dont les barres se recouvrent ne sont pas départagées ; des barres séparées "
            f"ne tiennent pas compte des données dont l’incertitude est inconnue."
        )
        rows = [
            Ranked(
                self.labels[code],
                float(self.result.ranks[code]),
                float(spread.intervals["low"][code]),
                float(spread.intervals["high"][code]),
            )
            for code in self.order
        ]
        # Half a page wide, its letters would be under 7 points.
        svg = ranking("rangs", "Rang et intervalle", rows, lambda v: f"{v:.0f}", middle=140)
        columns = (
            Column("Commune", 2.2),
            Column("Rang", 0.8, True),
            Column("Intervalle", 1.1, True),
            Column("Indice", 0.9, True),
            Column("Classe", 0.8, True),
            *((Column("Ménages", 1.1, True),) if self.households else ()),
        )
        table = Table(
            "Rangs et intervalles",
            columns,
            tuple(self._rank_row(c) for c in self.order),
            bare=True,
            small=True,
        )
        alt = "Classement, de la plus fragile à la moins fragile. Les valeurs sont dans le tableau."
        yield Side(((Chart(svg, alt, "Rang (point) et intervalle (barre)."),), (table,)))

    def _rank_row(self, code: str) -> tuple[str, ...]:
        interval = self.result.sensitivity.intervals
        low, high = float(interval["low"][code]), float(interval["high"][code])
        return (
            self.labels[code],
            str(self.result.ranks[code]),
            f"{low:.0f} à {high:.0f}",
            _number(float(self.result.scores["index"][code])),
            str(self.result.typology.classes[code]),
            *((self._households([code]),) if self.households else ()),
        )

    def _households(self, codes: list[str]) -> str:
        known = [self.households[c] for c in codes if c in self.households]
        return _number(sum(known), 0) if known else NONE

    def _described(self, kind: int) -> str:
        """In which dimensions a class is more, and less, fragile, by half a deviation."""
        scores = self.result.scores[self.used]
        inside = self.result.typology.classes[self.result.typology.classes == kind].index
        gaps = (scores.loc[inside].mean() - scores.mean()) / scores.std()
        names = {d: self.study.dimensions[d].label for d in self.used}
        more = [names[str(d)].lower() for d in gaps[gaps >= 0.5].sort_values(ascending=False).index]
        less = [names[str(d)].lower() for d in gaps[gaps <= -0.5].sort_values().index]
        said = [
            f"{words} : {', '.join(found)}"
            for words, found in (("plus fragile", more), ("moins fragile", less))
            if found
        ]
        return " ; ".join(said) or "proche de l’ensemble dans toutes les dimensions"

    def _classes(self) -> Iterator[Block]:
        yield PageBreak()
        yield Heading("Typologie des communes")
        eigenvalues = self.result.typology.components.eigenvalues
        kept = self.result.typology.components.kept().shape[1]
        share = 100 * eigenvalues[:kept].sum() / eigenvalues.sum()
        yield Paragraph(
            f"Analyse en composantes principales ({kept} axes, {_number(share, 0)} % de l’inertie), "
            f"classification ascendante hiérarchique de Ward, consolidation par centres mobiles : "
            f"{len(self.kinds)} classes, de la plus fragile à la moins fragile."
        )
        yield self._class_map()
        yield from self._plane()
        yield self._axes()
        yield self._tree()
        tests = self.profile
        yield Paragraph(
            f"Les tableaux donnent, sur {len(tests)} v-tests, ceux qui dépassent ± 1,96. Un sur vingt "
            f"le ferait par hasard ({_number(0.05 * len(tests), 0)} ici), et les classes sont faites de "
            f"ces mêmes indicateurs : les v-tests les décrivent, ils ne prouvent pas qu’elles existent."
        )
        for kind in self.kinds:
            members = self._members(kind)
            stability = self.result.typology.stability[kind]
            counted = f"{len(members)} commune{'s' if len(members) > 1 else ''}"
            counted += f", {self._households(members)} ménages" if self.households else ""
            yield Heading(f"{self._class_name(kind)}, {self._described(kind)}", 3)
            yield Paragraph(
                f"{counted} : {self._named(members)}. Stabilité : {_number(stability, 2)}.", "intro"
            )
            own = tests[(tests["classe"] == kind) & (tests["v_test"].abs() >= SIGNIFICANT)]
            own = own.reindex(own["v_test"].abs().sort_values(ascending=False, kind="stable").index)
            rows = [self._profile_row(row) for row in own.to_dict("records")]
            if rows:
                columns = (
                    Column("Indicateur", 3),
                    Column("Moyenne simple de la classe", 1.5, True),
                    Column("Moyenne simple des communes", 1.7, True),
                    Column("v-test", 0.8, True),
                    Column("Lecture", 1.3),
                )
                yield Table(f"Ce qui distingue la classe {kind}", columns, tuple(rows), bare=True)
            else:
                yield Paragraph("Aucun indicateur ne la distingue nettement de l’ensemble.")

    def _profile_row(self, row: dict[Hashable, Any]) -> tuple[str, ...]:
        indicator, v = str(row["indicateur"]), float(row["v_test"])
        sheet, symbol = self.sheets[indicator], self.symbols[indicator]
        means = (row["moyenne_simple_de_la_classe"], row["moyenne_simple_des_communes"])
        return (
            sheet.label,
            *(f"{_number(float(mean), sheet.decimals)} {symbol}".rstrip() for mean in means),
            french_number(v, 1, "+"),
            "plus élevé" if v > 0 else "plus bas",
        )

    def _robustness(self) -> Iterator[Block]:
        yield Heading("Ce qui change quand la méthode change")
        effects = sorted(self.result.sensitivity.effects.items(), key=lambda e: -e[1])
        rows = [(FACTORS[name].capitalize(), f"{_number(100 * share, 0)} %") for name, share in effects]
        rest = 1 - sum(share for _, share in effects)
        rows.append(("Effets conjoints", f"{_number(100 * max(rest, 0), 0)} %"))
        left = Table(
            "Part de la variation des rangs due à chaque choix",
            (Column("Choix", 3), Column("Part", 1, True)),
            tuple(rows),
            small=True,
        )
        removed = sorted(self.result.sensitivity.removed.items(), key=lambda e: -e[1])
        right = Table(
            "Changement moyen de rang quand on retire…",
            (Column("Dimension ou indicateur", 3), Column("Rangs", 1, True)),
            tuple((self._name_of(name), _number(change)) for name, change in removed),
            small=True,
        )
        yield Side(((left,), (right,)))

    def _coherence(self) -> Iterator[Block]:
        """How far dimensions tell each other, and what each really weighs: before any rank is read."""
        yield Heading("Cohérence : ce que les dimensions répètent, ce qu’elles pèsent")
        pairs = self.result.correlations.head(6).to_dict("records")
        left = Table(
            "Dimensions qui se ressemblent le plus",
            (Column("Dimensions", 3), Column("Corrélation", 1, True)),
            tuple((f"{p['one']} / {p['other']}", _number(float(p["correlation"]), 2)) for p in pairs),
        )
        index = self.result.scores["index"]
        shares = [(d, float(self.result.scores[d].corr(index) ** 2)) for d in self.used]
        right = Table(
            "Part de l’indice que chaque dimension explique (carré de la corrélation), et son alpha",
            (Column("Dimension", 3), Column("Part", 1, True), Column("Alpha", 1, True)),
            tuple(
                (self.study.dimensions[d].label, _number(share, 2), self._alpha(d))
                for d, share in shares
            ),
        )
        yield Side(((left,), (right,)))
        yield Paragraph(
            "Alpha de Cronbach : proche de 1 quand les indicateurs d’une dimension vont ensemble ; "
            "au-dessous de 0,6, leur moyenne mêle des choses différentes. Il n’existe pas pour un seul."
        )

    def _alpha(self, dimension: str) -> str:
        names = [n for n in self.study.dimensions[dimension].indicators if n in self.result.normalised]
        alpha = cronbach_alpha(self.result.normalised[names])
        return NONE if isnan(alpha) else _number(alpha, 2)

    def _plane(self) -> Iterator[Block]:
        """The communes on the first two axes, each with the mark of its class."""
        components = self.result.typology.components
        shares = 100 * components.eigenvalues / components.eigenvalues.sum()
        across, up = (
            Axis(f"Axe {i + 1} ({_number(float(shares[i]), 0)} % de l’inertie)", _number) for i in (0, 1)
        )
        classes = self.result.typology.classes
        points = [
            Point(self.labels[str(code)], float(row[0]), float(row[1]), group=int(classes[code]) - 1)
            for code, row in zip(
                components.coordinates.index, components.coordinates.to_numpy(), strict=True
            )
        ]
        names = [self._class_name(kind) for kind in self.kinds]
        title = "Les communes sur les deux premiers axes"
        svg = scatter("plan", title, points, across, up, groups=names)
        said = (
            f"{title} : deux communes proches se ressemblent. Tirets : les médianes. Ce que les axes "
            "mesurent est au tableau qui suit."
        )
        inside = " ".join(
            f"{self._class_name(kind)} : {self._named(self._members(kind))}." for kind in self.kinds
        )
        yield Chart(svg, f"{title}. {inside}", said, PLANE)

    def _axes(self) -> Table:
        """What the first axes are made of: their correlations with the indicators."""
        axes = self.result.typology.components.correlations.iloc[:, :AXES]
        rows = axes.reindex(axes.iloc[:, 0].sort_values(ascending=False, kind="stable").index)
        columns = (
            Column("Indicateur", 3),
            *(Column(name.capitalize(), 1, True) for name in rows.columns),
        )
        told = tuple(
            (self.sheets[str(name)].short_label, *(_number(float(value), 2) for value in row))
            for name, row in zip(rows.index, rows.to_numpy(), strict=True)
        )
        caption = "Corrélations des indicateurs, tournés vers la fragilité, avec les premiers axes"
        return Table(caption, columns, told, small=True)

    def _tree(self) -> Chart:
        """How the communes were grouped, and where consolidation then moved some of them."""
        typology = self.result.typology
        leaves = [Leaf(self.labels[str(c)], int(k) - 1) for c, k in typology.classes.items()]
        joins = [Join(int(a), int(b), float(height)) for a, b, height, _ in typology.tree]
        title = "L’arbre de la classification"
        said = (
            f"{title} : plus deux groupes se rejoignent à droite, moins ils se ressemblent. Tirets : la "
            f"coupure en {len(self.kinds)} groupes ; les marques sont celles des classes, après "
            "consolidation : celle d’une commune déplacée diffère de ses voisines."
        )
        return Chart(tree("arbre", title, leaves, joins, typology.cut), title, said, TREE)

    def _name_of(self, name: str) -> str:
        if name in self.study.dimensions:
            return f"{self.study.dimensions[name].label} (dimension)"
        return self.sheets[name].short_label

    def _tables(self) -> Iterator[Block]:
        yield PageBreak()
        yield Heading("Scores par dimension")
        columns = [Column("Commune", 2)]
        columns += [Column(self.study.dimensions[d].label, 1, True) for d in self.used]
        columns.append(Column("Indice", 0.8, True))
        rows = [
            (
                self.labels[code] + (" *" if self.result.imputed.loc[code].any() else ""),
                *(_number(float(self.result.scores[d][code]), 0) for d in self.used),
                _number(float(self.result.scores["index"][code])),
            )
            for code in self.order
        ]
        caption = "Scores par dimension, de 0 (la moins fragile) à 100"
        yield Table(caption, tuple(columns), tuple(rows), small=True)
        if self.result.imputed.to_numpy().any():
            yield Paragraph("* Une valeur au moins de la commune est estimée : voir la note de méthode.")

    def _method(self) -> Iterator[Block]:
        yield Heading("Note de méthode")
        estimated = int(self.result.imputed.to_numpy().sum())
        whole = self.result.imputed.size
        treated = [f"{self.sheets[i].short_label} ({how})" for i, how in self.result.treatments.items()]
        unranked = ", ".join(self.labels[c] for c in self.result.unranked)
        items = [
            "Étapes du manuel OCDE/JRC sur les indicateurs composites (2008) : données manquantes, "
            "valeurs extrêmes, mise à l’échelle, poids, agrégation, rangs, analyse de sensibilité.",
            "Chaque indicateur est pris au même mois pour toutes les communes : le dernier presque "
            f"aussi complet que le plus complet, et connu d’au moins {100 * self.study.coverage:.0f} % "
            "d’entre elles.",
            f"Valeurs estimées faute d’être connues (moyenne de l’intercommunalité) : {estimated} sur "
            f"{whole}. Une valeur secrète parce qu’elle est petite est ainsi surestimée.",
            f"Valeurs extrêmes traitées : {', '.join(treated) or 'aucune'}.",
            "Mise à l’échelle de 0 à 100 entre la plus petite et la plus grande valeur ; poids égaux "
            "des indicateurs dans une dimension et des dimensions dans l’indice, sauf mention ; "
            "moyenne arithmétique.",
            "v-test : écart de la moyenne d’une classe à celle des communes, en erreurs-types d’un "
            "tirage sans remise. Les moyennes sont simples : une petite commune y compte autant qu’une "
            "grande, ce n’est pas le taux du département. Stabilité : similarité moyenne de Jaccard "
            "entre la classe et celles d’échantillons tirés avec remise, composantes refaites à "
            "chaque tirage ; stable au-dessus de 0,75, instable sous 0,6.",
        ]
        if self.result.reserves:
            told = [f"{self.sheets[i].short_label} ({n})" for i, n in self.result.reserves.items()]
            items.append(f"Valeurs publiées malgré une règle non respectée : {', '.join(told)}.")
        if unranked:
            items.append(f"Communes non classées, faute de valeurs : {unranked}.")
        yield Bullets((*items, *self.study.limits))

    def _inputs(self) -> Iterator[Block]:
        """Each indicator, which values it takes for fragile, and its period or why it is absent."""
        rows = []
        for dimension in self.study.dimensions.values():
            for name, one in dimension.indicators.items():
                fragile = "valeur haute" if one.fragile == "high" else "valeur basse"
                state = self.result.months.get(name) if name not in self.result.absent else None
                shown = french_month(state) if state else f"absent : {self.result.absent[name]}"
                rows.append((self.sheets[name].label, dimension.label, fragile, shown))
        columns = (
            Column("Indicateur", 3),
            Column("Dimension", 1.7),
            Column("Fragile si", 1),
            Column("Période", 1.8),
        )
        yield Table("Indicateurs de l’étude", columns, tuple(rows), small=True)
