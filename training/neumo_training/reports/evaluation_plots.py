"""The report's plots as SVG, each drawn from the document alone."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neumo_training.reports.palette import FAINT, MODEL, NORMAL, OF_CLASS, PNEUMONIA
from neumo_training.reports.svg_plots import svg

Document = dict[str, Any]

_SIZE_INCHES = (4.6, 4.0)
_WIDE_INCHES = (9.4, 3.6)


def roc(document: Document) -> str:
    """Sensitivity over the false positive rate, with the interval as a band."""
    figure, axes = _square("False positive rate", "Sensitivity")
    curve, confusion = document["curves"]["roc"], document["confusion"]
    axes.fill_between(curve["fpr"], curve["low"], curve["high"], color=MODEL, alpha=0.2, lw=0)
    axes.plot(curve["fpr"], curve["tpr"], color=MODEL, label="ensemble")
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="chance")
    normal = confusion["false_positive"] + confusion["true_negative"]
    sick = confusion["true_positive"] + confusion["false_negative"]
    at = (confusion["false_positive"] / normal, confusion["true_positive"] / sick)
    axes.plot(*at, "o", color=PNEUMONIA, label="shipped threshold")
    axes.legend(loc="lower right", frameon=False)
    return svg(figure)


def precision_recall(document: Document) -> str:
    """Precision over recall, with the share of PNEUMONIA in the set."""
    figure, axes = _square("Recall (sensitivity)", "Precision (PPV in this set)")
    curve, films = document["curves"]["precision_recall"], document["set"]["films"]
    axes.plot(curve["recall"], curve["precision"], color=MODEL, label="ensemble")
    share = films["PNEUMONIA"] / sum(films.values())
    axes.axhline(share, color=FAINT, linestyle=":", label="share of pneumonia")
    axes.legend(loc="lower left", frameon=False)
    return svg(figure)


def reliability(document: Document) -> str:
    """The share of PNEUMONIA over the mean probability of each bin."""
    figure, axes = _square("Mean probability", "Share of pneumonia")
    bins = document["curves"]["reliability"]
    x = [b["mean_probability"] for b in bins]
    y = [b["share_pneumonia"]["value"] for b in bins]
    # A quantile of draws may lie on the other side of the value; matplotlib refuses that.
    below = [max(0.0, b["share_pneumonia"]["value"] - b["share_pneumonia"]["low"]) for b in bins]
    above = [max(0.0, b["share_pneumonia"]["high"] - b["share_pneumonia"]["value"]) for b in bins]
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="calibrated")
    axes.errorbar(x, y, [below, above], fmt="o-", color=MODEL, capsize=2, label="ensemble")
    axes.legend(loc="lower right", frameon=False)
    return svg(figure)


def histogram(document: Document) -> str:
    """How many films of each class have which probability."""
    figure, axes = _figure("Probability of pneumonia", "Films")
    bins = document["curves"]["histogram"]
    edges = bins["edges"]
    for name, colour in (("normal", NORMAL), ("pneumonia", PNEUMONIA)):
        axes.stairs(bins[name], edges, color=colour, fill=True, alpha=0.35)
        axes.stairs(bins[name], edges, color=colour, label=name.upper())
    threshold = document["release"]["threshold"]
    axes.axvline(threshold, color="black", linestyle="--", linewidth=1, label="threshold")
    axes.legend(loc="upper center", frameon=False)
    return svg(figure)


def confusion(document: Document) -> str:
    """How many films were called what."""
    figure, axes = _figure("Called", "Is")
    called = document["confusion"]
    rows = [
        [called["true_negative"], called["false_positive"]],
        [called["false_negative"], called["true_positive"]],
    ]
    shares = [[count / max(sum(row), 1) for count in row] for row in rows]
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    labels = ("NORMAL", "PNEUMONIA")
    axes.set_xticks((0, 1), labels)
    axes.set_yticks((0, 1), labels, rotation=90, va="center")
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            # Blues is dark from its middle on.
            ink = "white" if shares[y][x] > 0.5 else "black"
            axes.text(x, y, f"{count}\n{shares[y][x]:.1%}", ha="center", va="center", color=ink)
    return svg(figure)


def corruptions(document: Document) -> str:
    """AUC, sensitivity and specificity under each corruption, a dot for each severity."""
    measured = document["corruptions"]
    figure = Figure(_WIDE_INCHES, layout="constrained")
    names = list(measured["corruptions"])
    for place, (metric, label) in enumerate(
        (("auc", "AUC"), ("sensitivity", "Sensitivity"), ("specificity", "Specificity")), start=1
    ):
        axes = figure.add_subplot(1, 3, place)
        for rank, severity in enumerate(measured["severities"], start=1):
            values = [measured["corruptions"][n][str(severity)][metric]["value"] for n in names]
            shade = 0.25 + 0.75 * rank / len(measured["severities"])
            axes.plot(values, range(len(names)), "o", color=MODEL, alpha=shade, label=f"{severity}")
        clean = measured["clean"][metric]["value"]
        axes.axvline(clean, color=FAINT, linestyle=":", label="clean")
        axes.set_yticks(range(len(names)), [_spaced(n) for n in names] if place == 1 else [])
        axes.invert_yaxis()
        axes.set_xlabel(label)
        axes.grid(axis="x", alpha=0.3)
        if place == 1:
            axes.legend(title="severity", frameon=False, fontsize=8)
    return svg(figure)


def by_place(document: Document) -> str:
    """The mean probability of each run along its series, a line for each class and series."""
    figure = Figure(_WIDE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel("Place in the series, by number")
    axes.set_ylabel("Mean probability")
    for rank, line in enumerate(document["runs"]["by_place"]):
        style = ("-", "--", ":", "-.")[rank % 4]
        label, colour = f"{line['label']}, {line['series']}", OF_CLASS[line["label"]]
        axes.plot(line["place"], line["mean_probability"], style, color=colour, label=label)
    axes.axhline(document["release"]["threshold"], color="black", linewidth=1, label="threshold")
    axes.set_ylim(-0.02, 1.02)
    axes.legend(frameon=False, fontsize=8)
    return svg(figure)


def net_benefit(document: Document) -> str:
    """The decision curve: the release, calling everyone sick, and no one."""
    figure, axes = _figure("Threshold probability", "Net benefit")
    curve = document["net_benefit"]
    at = [point["at"] for point in curve]
    axes.plot(at, [point["of_the_release"] for point in curve], color=MODEL, label="ensemble")
    axes.plot(at, [point["of_all"] for point in curve], color=FAINT, ls="--", label="everyone")
    axes.axhline(0.0, color=FAINT, linestyle=":", label="no one")
    # Calling everyone sick falls without end.
    axes.set_ylim(-0.1, 1.0)
    axes.legend(loc="lower left", frameon=False)
    return svg(figure)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _square(x: str, y: str) -> tuple[Figure, Axes]:
    figure, axes = _figure(x, y)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    return figure, axes


def _figure(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(_SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes
