"""The words that the cards' tables and sentences are filled with, by language."""

from __future__ import annotations

from dataclasses import dataclass

from neumo_training.reports import key_names


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words; the dictionaries' keys are the evaluation document's."""

    unknown: str
    none: str
    to: str
    classes: dict[str, str]
    kinds: dict[str, str]
    parts: dict[str, str]
    excluded: dict[str, str]
    models: dict[str, str]
    metrics: dict[str, str]
    thresholds: dict[str, str]
    baselines: dict[str, str]
    corruptions: dict[str, str]
    shortcuts: dict[str, str]
    geometry: dict[str, str]
    columns: dict[str, str]
    rows: dict[str, str]
    worst_run: str
    """With ``label`` and the fields of ``WorstRun`` to be filled in."""
    no_run: str
    as_good: str
    """With ``names`` of trivial baselines to be filled in."""
    public_source: str
    other_source: str
    tried: str
    """With ``count``, ``kept`` and ``gain`` to be filled in."""
    trained_on: str
    once: str
    often: str
    not_holdout: str


ENGLISH = Words(
    unknown=key_names.NOT_MEASURED,
    none="none",
    to="to",
    classes={"NORMAL": "normal", "PNEUMONIA": "pneumonia"},
    kinds={"normal": "normal", **key_names.KINDS},
    parts={"all": "all films of a folder", "holdout": "the locked hold-out"},
    excluded={
        "unreadable": "unreadable",
        "the same file in test or val, too": "the same file in test or val, too",
        "the same file again": "the same file again",
        "the same file under both labels": "the same file under both labels",
    },
    models={"ensemble": "ensemble"},
    metrics=key_names.METRICS,
    thresholds=key_names.THRESHOLDS,
    baselines={
        "constant": "a constant",
        "brightness": "brightness",
        "borders": "brightness of the borders",
        "ridge on 32 x 32": "ridge regression on a thumbnail",
        "aspect ratio": "aspect ratio",
        "size": "width and height",
    },
    corruptions={
        "pixelate": "pixelation",
        "jpeg_compression": "JPEG compression",
        "gaussian_noise": "Gaussian noise",
        "speckle_noise": "speckle noise",
        "impulse_noise": "impulse noise",
        "shot_noise": "shot noise",
        "gaussian_blur": "Gaussian blur",
        "brightness_up": "more brightness",
        "brightness_down": "less brightness",
        "contrast_up": "more contrast",
        "contrast_down": "less contrast",
        "gamma_up": "more gamma",
        "gamma_down": "less gamma",
    },
    shortcuts=key_names.SHORTCUTS,
    geometry=key_names.GEOMETRY,
    columns={
        "films": "films",
        "threshold": "threshold",
        "prevalence": "prevalence",
        "ppv": "PPV",
        "npv": "NPV",
        "severity": "severity",
        "what": "what",
        "figure": "figure",
    },
    rows={
        "less": "ensemble less",
        "release_less": "this release less release",
        "moved_mean": "mean change of the probability",
        "moved_most": "largest change",
        "decisions_changed": "decisions that change",
        "refused": "share refused as no chest radiograph",
        "dice": "Dice of the lungs",
        "heat": "share of the heat in the lungs",
        "area": "the lungs' share of the film",
        "worst_run": "worst run of neighbouring numbers",
        "tenth": "tenth percentile of all runs",
        "matched": "AUC at the same look",
        "look": "AUC of the look alone",
        "slope": "calibration slope",
        "intercept": "calibration intercept",
        "worst_ece": "expected calibration error in the worst quarter of runs",
        "least": "least sensitivity or specificity under a corruption up to severity",
    },
    worst_run="{share} right (films {first} to {last} of {of}, series {series})",
    no_run="no series is as long as a run",
    as_good=(
        "**A trivial baseline does as well on these films ({names}): they do not show that the "
        "release reads disease.**"
    ),
    public_source=(
        "The public set of Kermany et al.: radiographs from retrospective cohorts of children at "
        "Guangzhou Women and Children's Medical Center, taken in routine care. Poor scans were "
        "removed; two physicians graded each film, and a third checked the official test set. "
        "The official training folder alone was used."
    ),
    other_source=(
        "Films of whoever trained this release; its manifest names no source. Describe here where "
        "they were taken, of whom, and who graded them; where this text speaks of the public set, "
        "write your own facts."
    ),
    tried=(
        "{count} other choices, of which the release keeps {kept}; the best of the others changes "
        "the ensemble's out-of-fold AUC by {gain}. The report of `neumo evaluate` has each figure."
    ),
    trained_on="These are the films that the release was trained on: no estimate for new films.",
    once="The hold-out was read once for this release.",
    often="Times that the hold-out was read for this release:",
    not_holdout="The films are not the locked hold-out.",
)

SPANISH = Words(
    unknown="no medido",
    none="ninguna",
    to="a",
    classes={"NORMAL": "normal", "PNEUMONIA": "neumonía"},
    kinds={
        "normal": "normal",
        "bacteria": "neumonía bacteriana",
        "virus": "neumonía viral",
        "unknown": "neumonía de tipo desconocido",
    },
    parts={"all": "todas las radiografías de una carpeta", "holdout": "la reserva bloqueada"},
    excluded={
        "unreadable": "ilegibles",
        "the same file in test or val, too": "el mismo archivo también en test o val",
        "the same file again": "el mismo archivo repetido",
        "the same file under both labels": "el mismo archivo con ambas etiquetas",
    },
    models={"ensemble": "ensamble"},
    metrics={
        "auc": "AUC",
        "average_precision": "precisión media",
        "accuracy": "exactitud",
        "sensitivity": "sensibilidad",
        "specificity": "especificidad",
        "balanced_accuracy": "exactitud balanceada",
        "brier": "puntuación de Brier",
        "ece": "error de calibración esperado",
    },
    thresholds={
        "shipped": "publicado",
        "best_balanced": "mejor exactitud balanceada, ajustado en estas radiografías",
        "at_sensitivity": "sensibilidad deseada, ajustado en estas radiografías",
        "equal_errors": "los mismos errores en ambas clases, ajustado en estas radiografías",
        "best_worst_run": "mejor peor serie, ajustado en estas radiografías",
    },
    baselines={
        "constant": "una constante",
        "brightness": "brillo",
        "borders": "brillo de los bordes",
        "ridge on 32 x 32": "regresión ridge sobre una miniatura",
        "aspect ratio": "relación de aspecto",
        "size": "ancho y alto",
    },
    corruptions={
        "pixelate": "pixelado",
        "jpeg_compression": "compresión JPEG",
        "gaussian_noise": "ruido gaussiano",
        "speckle_noise": "ruido multiplicativo",
        "impulse_noise": "ruido impulsivo",
        "shot_noise": "ruido de disparo",
        "gaussian_blur": "desenfoque gaussiano",
        "brightness_up": "más brillo",
        "brightness_down": "menos brillo",
        "contrast_up": "más contraste",
        "contrast_down": "menos contraste",
        "gamma_up": "más gamma",
        "gamma_down": "menos gamma",
    },
    shortcuts={
        "whole": "radiografía entera",
        "lungs_only": "solo los pulmones",
        "lungs_removed": "sin los pulmones",
        "lungs_box_only": "solo la caja de los pulmones",
        "lungs_box_removed": "sin la caja de los pulmones",
        "borders_only": "solo los bordes",
    },
    geometry={"aspect_ratio": "relación de aspecto", "megapixels": "megapíxeles"},
    columns={
        "films": "radiografías",
        "threshold": "umbral",
        "prevalence": "prevalencia",
        "ppv": "VPP",
        "npv": "VPN",
        "severity": "severidad",
        "what": "qué",
        "figure": "cifra",
    },
    rows={
        "less": "ensamble menos",
        "release_less": "esta versión menos la versión",
        "moved_mean": "cambio medio de la probabilidad",
        "moved_most": "mayor cambio",
        "decisions_changed": "decisiones que cambian",
        "refused": "proporción rechazada por no ser radiografía de tórax",
        "dice": "Dice de los pulmones",
        "heat": "proporción del calor dentro de los pulmones",
        "area": "proporción de la radiografía que ocupan los pulmones",
        "worst_run": "peor serie de números vecinos",
        "tenth": "percentil diez de todas las series",
        "matched": "AUC con el mismo aspecto",
        "look": "AUC del aspecto solo",
        "slope": "pendiente de calibración",
        "intercept": "ordenada de calibración",
        "worst_ece": "error de calibración esperado en el peor cuarto de las series",
        "least": "menor sensibilidad o especificidad con una alteración hasta severidad",
    },
    worst_run="{share} correctas (radiografías {first} a {last} de {of}, serie {series})",
    no_run="ninguna serie es tan larga",
    as_good=(
        "**Un modelo trivial acierta lo mismo en estas radiografías ({names}): no demuestran que "
        "la versión lea la enfermedad.**"
    ),
    public_source=(
        "El conjunto público de Kermany et al.: radiografías de cohortes retrospectivas de niños "
        "del Guangzhou Women and Children's Medical Center, tomadas en la atención habitual. Se "
        "retiraron las de mala calidad; dos médicos clasificaron cada radiografía y un tercero "
        "revisó el conjunto de prueba oficial. Solo se usó la carpeta oficial de entrenamiento."
    ),
    other_source=(
        "Radiografías de quien entrenó esta versión; su manifiesto no nombra la fuente. Describa "
        "aquí dónde se tomaron, de quiénes, y quién las clasificó; donde este texto habla del "
        "conjunto público, escriba sus propios datos."
    ),
    tried=(
        "{count} alternativas, de las que la versión conserva {kept}; la mejor de las demás cambia "
        "el AUC fuera de pliegue del ensamble en {gain}. El informe de `neumo evaluate` da cada "
        "cifra."
    ),
    trained_on=(
        "Son las radiografías con las que se entrenó la versión: nada dicen sobre otras nuevas."
    ),
    once="La reserva se leyó una sola vez para esta versión.",
    often="Veces que se leyó la reserva para esta versión:",
    not_holdout="Las radiografías no son la reserva bloqueada.",
)
