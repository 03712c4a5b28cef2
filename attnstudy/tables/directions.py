"""Which way a metric is better, as its name says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Way = Literal["rises", "falls"]

# words of English, German, French, Spanish and Italian, without accents and numbers
_FALLING = frozenset({
    "inaccuracy", "wrong", "incorrect", "mistake", "mistakes", "miss", "loss", "losses",
    "error", "errors", "err", "errs", "cost", "costs", "regret", "risk", "residual",
    "residuals", "divergence", "distance", "distances", "discrepancy", "deviation",
    "distortion", "dissimilarity", "perplexity", "ppl", "nll", "bpc", "bpd", "bpb", "bpp",
    "logloss", "crossentropy", "xent", "bce", "kl", "kld", "jsd", "mmd", "emd", "wasserstein",
    "chamfer", "hausdorff", "assd", "asd", "brier", "ece", "mce", "sce", "ence", "aurc",
    "crps", "fid", "kid", "fvd", "fad", "sfid", "lpips", "dists", "niqe", "brisque", "piqe",
    "mse", "rmse", "nrmse", "mae", "nmae", "mape", "smape", "wape", "mase", "rmsle", "msle",
    "mre", "sse", "rss", "rmsd", "medae", "rae", "rse", "absrel", "sqrel", "wer", "cer", "eer",
    "jer", "ber", "fpr", "fnr", "fdr", "frr", "hter", "misclassification", "epe", "aepe",
    "aae", "fde", "mpjpe", "mpvpe", "nme", "rpe", "violation", "violations", "collision",
    "collisions", "clash", "clashes", "clashscore", "failure", "failures", "faults", "misses",
    "missrate", "hallucination", "impurity",
    "hallucinations", "toxicity", "bias", "inertia", "davies", "latency", "runtime", "time",
    "duration", "seconds", "second", "secs", "sec", "minutes", "hours", "ms", "milliseconds",
    "delay", "lag", "overhead", "ttft", "tpot", "rtf", "walltime", "makespan", "energy",
    "joule", "joules", "kwh", "wh", "emission", "emissions", "carbon", "footprint", "memory",
    "mem", "ram", "vram", "gb", "mb", "gib", "mib", "verlust", "verluste", "fehler", "kosten",
    "abstand", "abweichung", "distanz", "dauer", "laufzeit", "zeit", "latenz", "energie",
    "speicher", "divergenz", "erreur", "erreurs", "perte", "pertes", "cout", "ecart", "duree",
    "temps", "memoire", "latence", "perdida", "perdidas", "coste", "costo", "desviacion",
    "distancia", "duracion", "tiempo", "latencia", "energia", "memoria", "divergencia",
    "errore", "errori", "perdita", "perda", "fout", "erro", "deviance", "custo", "perdite",
    "deviazione", "distanza", "durata", "tempo", "latenza", "divergenza",
})  # fmt: skip
_FALLING_ENDS = (
    "loss", "error", "rmse", "mae", "mse", "mape", "perplexity", "nll", "entropy", "divergence",
    "distance", "latency", "regret", "fehler", "fehlerrate", "fehlerquote", "verlust", "zeit",
    "abweichung", "kosten",
)  # fmt: skip
_RISING = frozenset({
    "acc", "accuracy", "accuracies", "fscore", "fmeasure", "fbeta", "precision", "recall",
    "specificity", "sensitivity", "auc", "auroc", "auprc", "aucpr", "aupr", "roc", "pr", "ap",
    "map", "ar", "iou", "miou", "jaccard", "dice", "dsc", "nsd", "bleu", "sacrebleu", "rouge",
    "rougel", "rougelsum", "meteor", "cider", "spice", "chrf", "comet", "bleurt", "bertscore",
    "likelihood", "loglik", "elbo", "evidence", "psnr", "ssim", "msssim", "kappa", "mcc",
    "reward", "rewards", "return", "returns", "success", "successes", "winrate", "win", "wins",
    "ndcg", "mrr", "reciprocal", "hit", "hits", "em", "exact", "match", "matches", "correct",
    "elo", "throughput", "fps", "tps", "qps", "rps", "mfu", "speed", "bandwidth", "pearson",
    "spearman", "kendall", "correlation", "corr", "fitness", "pass", "tpr", "tnr", "ppv", "npv",
    "gini", "silhouette", "purity", "nmi", "ari", "ami", "homogeneity", "completeness",
    "vmeasure", "modularity", "similarity", "agreement", "quality", "utility", "profit",
    "revenue", "sharpe", "lift", "survival", "explained", "solved", "hota", "mota", "idf",
    "lddt", "gdt", "pck", "fairness", "genauigkeit", "trefferquote", "treffer", "punktzahl",
    "punkte", "erfolg", "erfolgsrate", "belohnung", "durchsatz", "exactitude", "justesse",
    "rappel", "recompense", "debit", "exactitud", "puntuacion", "recompensa", "accuratezza",
    "precisione", "punteggio", "ricompensa",
})  # fmt: skip
# beside another word these say nothing: a Brier score falls, and "der" is a German word
_WEAKLY_RISING = frozenset({"score", "scores", "top", "performance", "leistung", "puntaje"})
_WEAKLY_FALLING = frozenset({
    "rank", "ranks", "rang", "rango", "der", "per", "far", "ace", "mer", "ter", "ser", "ate", "ade",
    "co", "js", "hd", "fp", "fn",
})  # fmt: skip
# of an error or a time it is better to have more of these, and of an accuracy less of those
_SAVING = frozenset({
    "reduction", "reductions", "reduced", "saved", "saving", "savings", "free", "improvement",
    "improvements", "gain", "gains", "speedup", "avoided", "reduktion", "ersparnis",
    "einsparung", "verbesserung", "verringerung", "amelioration", "economie", "mejora", "ahorro",
    "reduccion", "miglioramento", "risparmio", "riduzione", "efficiency", "effizienz",
})  # fmt: skip
_HARM = frozenset({"drop", "degradation", "gap", "forgetting", "deterioration", "decline"})
# how much a metric varies says nothing of which way the metric is better
_SPREAD = frozenset({"std", "stds", "stddev", "stdev", "variance", "variances"})
_SPREAD_AT_END = frozenset({"sd", "var"})
_NEGATING = frozenset({"neg", "negative", "negated", "minus", "inverse", "inv"})
# beside these the other words do not tell: whose success is it, and is it wanted?
_UNTOLD = frozenset({
    "not", "no", "non", "nicht", "kein", "keine", "pas", "sin", "senza", "attack", "attacks",
    "attacker", "backdoor", "trojan", "poison", "poisoned", "jailbreak", "forget", "forgotten",
    "unlearned", "leakage", "leak", "membership", "adversary", "anomaly", "outlier", "novelty",
})  # fmt: skip
# what is never below 0
_NEVER_NEGATIVE = frozenset({
    "mse", "rmse", "nrmse", "mae", "nmae", "mape", "smape", "wape", "mase", "rmsle", "msle", "sse",
    "rss", "rmsd", "medae", "err", "errs", "error", "errors", "wer", "cer", "eer", "fpr", "fnr",
    "ece", "brier", "fid", "kid", "lpips", "perplexity", "ppl", "time", "runtime", "latency",
    "duration", "seconds", "secs", "sec", "ms", "milliseconds", "minutes", "hours", "makespan",
    "fehler", "fehlerrate", "dauer", "laufzeit", "zeit", "latenz", "erreur", "duree", "temps",
    "errore", "durata", "tempo", "duracion", "tiempo",
})  # fmt: skip
# what is spent to reach something: less is better, unless it is a mishap that is put off
_EXPENSE = (
    r"(?:times?|seconds|minutes|hours|days|steps|epochs|iterations|iters|queries|samples|examples|"
    r"episodes|updates|batches|tokens|frames|trials|flops|evaluations|evals|rounds|calls|"
    r"interactions|costs?|energy)"
)
_MISHAP = r"(?:failures?|collisions?|crash(?:es)?|violations?|death|faults?|falls?)"
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), word)
    for pattern, word in (
        (r"false (?:positive|negative|alarm|acceptance|rejection|discovery)s?(?: rate)?", "error"),
        (r"true (?:positive|negative)s?(?: rate)?|(?:positive|negative) predictive value", "hit"),
        (r"abs rel|sq rel|cross entropy|miss rate|bouldin", "loss"),
        (r"negative (?:transfer|results?|class)", "unknown"),
        (r"(?:\w+ )?skill scores?|(?:brier|crps) skill|bss", "explained"),
        (r"(?:interval|quantile|winkler|ignorance) scores?|self bleu", "loss"),
        (r"log(?:arithmic)? scores?", "unknown"),
        (r"(?:loss|losses|regret|costs?|nll|perplexity|ppl|r?mse|mae) (?:curve )?auc", "loss"),
        (r"(?:std|standard) dev(?:iation)?s?", "std"),
        (
            r"variance explained|explained variance|r 2(?: score)?|coefficient of determination",
            "explained",
        ),
        (r"f ?\d(?: ?\d)?|f (?:score|measure|beta|mass)", "fscore"),
        (r"free energy", "energy"),
        (r"wall clock", "time"),
        (r"speed up", "speedup"),
        (rf"{_EXPENSE} (?:to|until|till) (?:\w+ )*{_MISHAP}\b.*", "unknown"),
        (rf"{_EXPENSE} (?:to|until|till) \w+.*", "time"),
        (r"surface dice", "dice"),
    )
)
# the operating point of a rate, as in FPR@95TPR
_OPERATING = re.compile(
    r"(?<=[a-z@\s_])@?\s?\d+(?:[.e-]+\d+)*[\s_]?%?[\s_]?"
    r"(tpr|fpr|tnr|fnr|far|frr|fppi|recall|precision|specificity|sensitivity)(?![a-z])"
)
_R2 = re.compile(r"(?<![a-z])r\s?\^?2(?![a-z0-9])")
_TIMES = frozenset({
    "s", "sec", "secs", "second", "seconds", "ms", "millisecond", "milliseconds", "us", "ns",
    "min", "mins", "minute", "minutes", "h", "hr", "hour", "hours", "day", "days", "sekunde",
    "sekunden", "minuten", "stunde", "stunden", "tag", "seconde", "secondes", "heure", "heures",
    "jour", "segundo", "segundos", "minuto", "minutos", "hora", "horas", "dia", "secondo",
    "secondi", "minuti", "ora", "ore", "giorno",
})  # fmt: skip
_RESOURCES = _TIMES | {
    "joule",
    "joules",
    "j",
    "watt",
    "watts",
    "w",
    "kwh",
    "wh",
    "dollar",
    "usd",
    "euro",
    "gpu",
}
_INFORMATION = frozenset({"bit", "bits", "nat", "nats"})
_DONE = frozenset({
    "token", "tokens", "image", "images", "img", "imgs", "sample", "samples", "example",
    "examples", "it", "its", "iter", "iters", "iteration", "iterations", "step", "steps",
    "frame", "frames", "request", "requests", "query", "queries", "item", "items", "word",
    "words", "sentence", "sentences", "batch", "batches", "epoch", "epochs", "update",
    "updates", "episode", "episodes", "game", "games", "flop", "flops", "gflops", "tflops",
    "op", "ops", "bilder", "sequences", "points", "records", "rows", "files", "graphs", "nodes",
    "edges", "molecules", "jobs", "tasks", "bit", "bits", "byte", "bytes", "gb", "mb",
})  # fmt: skip
_FRACTION = re.compile(r"([a-z]+) ?/ ?([a-z]+)(?![a-z])")
_UNIT = re.compile(r"[(\[] ?([a-z]+)\.? ?[)\]]$")
_PER = frozenset({"per", "pro", "par", "por"})
_BESIDES = frozenset({"at", "when", "where", "until"})  # acc_at_best_val_loss
_ARROWS = (("falls", r"[↓⬇⇓▼]|\\downarrow"), ("rises", r"[↑⬆⇑▲]|\\uparrow"))
_BETTER = frozenset({
    "better", "besser", "mieux", "meilleur", "meilleure", "mejor", "meglio", "migliore",
})  # fmt: skip
_LESS = frozenset({
    "lower", "less", "smaller", "fewer", "low", "lowest", "small", "niedriger", "kleiner",
    "weniger", "geringer", "tiefer", "bas", "basse", "faible", "petit", "petite", "moins",
    "inferieur", "menor", "bajo", "baja", "menos", "pequeno", "minore", "basso", "bassa",
    "meno", "shorter", "faster", "schneller", "kurzer",
})  # fmt: skip
_MORE = frozenset({
    "higher", "more", "larger", "bigger", "greater", "high", "highest", "large", "hoher",
    "hoeher", "grosser", "groesser", "mehr", "haut", "haute", "eleve", "elevee", "grand",
    "grande", "superieur", "mayor", "alto", "alta", "maggiore", "plus", "mas", "piu", "longer",
})  # fmt: skip
_COMPARING = frozenset({"plus", "mas", "piu"})
_MINIMIZE = frozenset({"minimize", "minimise", "minimized", "minimised", "minimieren"})
_MAXIMIZE = frozenset({"maximize", "maximise", "maximized", "maximised", "maximieren"})


def way_of(metric: str) -> Way | None:
    """Return whether a metric is better when it rises or falls; None where its name is silent.

    In this order an arrow or "lower is better" in the name decides, then "so many per second" and
    "seconds per so many", then what the words of the metric measure. A loss of accuracy falls, and
    so do the steps to an accuracy; where the words contradict each other otherwise, and of a
    standard deviation, the name is silent. A negated metric, and a reduction of an error, go the
    other way.
    """
    text = unaccented(re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", metric))
    words = re.findall(r"[^\W\d_]+", text)
    for said in (_said(text, words), _fraction(text), _per(words)):
        if said != "silent":
            return said
    return _measured(text)


def less_is_better(metric: str) -> bool:
    """Whether a metric is a loss, an error, a time or a cost, as its name says."""
    return way_of(metric) == "falls"


def is_never_negative(metric: str) -> bool:
    """Whether a metric is an error or a time, as its name says, and so never below 0."""
    words = re.findall(r"[^\W\d_]+", unaccented(metric))
    return less_is_better(metric) and bool(words) and not _NEVER_NEGATIVE.isdisjoint(words[-2:])


def assumed(metric: str) -> str | None:
    """Return what has to be said where the name of a metric decides which way is better."""
    way = way_of(metric)
    if way == "falls":
        return (
            f"lower is assumed to be better because of the name {metric}; use --direction "
            "maximize to reverse it"
        )
    if way is None:
        return (
            f"{metric} does not say which way is better, and higher is assumed: use --direction "
            "minimize to reverse it"
        )
    return None


def unaccented(text: str) -> str:
    """Return a text without case and accents."""
    plain = text.strip().casefold()
    if plain.isascii():
        return plain
    apart = unicodedata.normalize("NFKD", plain.replace("\u00f8", "ø"))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _said(text: str, words: Sequence[str]) -> Way | Literal["silent"] | None:
    """Return the way that a name says outright; None where it says both."""
    found = {way for way, pattern in _ARROWS if re.search(pattern, text)}
    given = set(words)
    if given & _BETTER:
        less = bool(given & _LESS)
        found |= {"falls"} if less else set()
        # "plus bas" is lower
        found |= {"rises"} if given & (_MORE - _COMPARING if less else _MORE) else set()
    found |= {"falls"} if given & _MINIMIZE else set()
    found |= {"rises"} if given & _MAXIMIZE else set()
    if not found:
        return "silent"
    if len(found) > 1:
        return None
    return "falls" if "falls" in found else "rises"


def _fraction(text: str) -> Way | Literal["silent"]:
    """Return the way of ``tokens/s`` and ``ms/token``; a slash elsewhere parts names."""
    found = _FRACTION.search(text.replace("_", " "))
    if found is None:
        return "silent"
    above, below = found.groups()
    if above in _DONE and below in _RESOURCES:
        return "rises"
    return "falls" if above in _TIMES | _INFORMATION and below in _DONE | {"dim"} else "silent"


def _per(words: Sequence[str]) -> Way | Literal["silent"] | None:
    """Return the way of a rate, as ``tokens per second``; PER alone is a phoneme error rate."""
    place = next((i for i, word in enumerate(words) if word in _PER), 0)
    above, below = words[:place], words[place + 1 :]
    if not above or not below:
        return "silent"
    if set(above) & _NEGATING:
        return None
    measured = _measured(" ".join(above))
    if set(above) & _DONE and below[0] in _RESOURCES:
        return "rises"
    if set(above) & (_RESOURCES | _INFORMATION) and measured != "rises":
        return "falls"
    return measured if measured or words[place] == "per" else "silent"


def _measured(text: str) -> Way | None:
    """Return the way of what the words of a name measure."""
    unit = _UNIT.search(text)
    negated = bool(re.match(r"\s*(?:-|1(?:00)?(?:\.0)?\s*%?\s*-)\s*[a-z]", text.replace("−", "-")))
    text = re.sub(r"@(?=[a-z])", " at ", _OPERATING.sub(r" at \1", text))
    text = _R2.sub(" explained ", re.sub(r"[\W_]+", " ", text).replace(" r2 ", " explained "))
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    words = re.findall(r"[^\W\d_]+", text)
    for place, word in enumerate(words):
        if word in _BESIDES and any(map(_of_word, words[:place])):
            words = words[:place]
            break
    ways = [found for word in words if (found := _of_word(word))]
    given = set(words)
    way: Way | None = ways[-1] if ways else None
    if way is None and (given & _WEAKLY_FALLING or (unit and unit[1] in _TIMES)):
        way = "falls"
    if way is None and given & _WEAKLY_RISING:
        way = "rises"
    if given & _UNTOLD:
        return None
    if given & _SAVING:
        return "rises"
    if given & _SPREAD or set(words[-1:]) & _SPREAD_AT_END or (way == "rises" and "falls" in ways):
        return None
    if given & _HARM:
        return None if way == "falls" else "falls"
    if way is not None and negated != bool(given & _NEGATING):
        return "falls" if way == "rises" else "rises"
    return way


def _of_word(word: str) -> Way | None:
    if word in _FALLING or word.endswith(_FALLING_ENDS):
        return "falls"
    return "rises" if word in _RISING or word.endswith("accuracy") else None
