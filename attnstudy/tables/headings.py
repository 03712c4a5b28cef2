"""What the columns of a table of results hold, as their headings say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from attnstudy.tables import directions
from attnstudy.tables.seeds import whole_seed

# words of English, German, French, Spanish and Italian, without accents
ARMS = frozenset({
    "variant", "model", "method", "arm", "algorithm", "system", "approach", "architecture",
    "network", "net", "backbone", "classifier", "estimator", "learner", "technique", "config",
    "configuration", "condition", "treatment", "strategy", "ablation", "agent", "algo", "policy",
    "methode", "verfahren", "modell", "ansatz", "variante", "algorithmus", "architektur", "netz",
    "modele", "approche", "algorithme", "reseau", "systeme",
    "metodo", "modelo", "algoritmo", "enfoque", "arquitectura", "sistema",
    "modello", "approccio", "architettura", "rete",
})  # fmt: skip
"""Headings of the column of arms."""

_SEEDS = frozenset({
    "seed", "seeds", "random_seed", "randomseed", "rng_seed", "random_state", "rng", "rep", "reps",
    "repeat", "repetition", "replicate", "replication", "replica", "trial", "run", "run_number",
    "run_no", "run_nr", "run_index", "attempt", "try",
    "lauf", "durchlauf", "wiederholung", "startwert", "versuch",
    "graine", "repetition_no", "essai", "execution", "tirage",
    "semilla", "repeticion", "corrida", "ejecucion", "ensayo",
    "seme", "ripetizione", "prova", "esecuzione",
    "semente", "execucao", "repeticao", "tentativa",
})  # fmt: skip
_STEPS = frozenset({
    "epoch", "step", "global_step", "_step", "iteration", "iter", "training_iteration",
    "trainer_global_step", "timestep", "timesteps", "total_timesteps", "num_updates", "update",
    "epoche", "schritt", "epoque", "etape", "epoca", "paso", "passo", "episode", "round",
})  # fmt: skip
_TASKS = frozenset({
    "dataset", "data", "data_set", "task", "benchmark", "problem", "env", "environment", "env_id",
    "game", "domain", "corpus", "testset", "test_set", "dataset_name", "task_name",
    "datensatz", "daten", "aufgabe", "jeu_de_donnees", "donnees", "tache",
    "conjunto_de_datos", "datos", "tarea", "dati", "compito",
})  # fmt: skip
# what results may be one each of: a row of such a thing is no run
_UNITS = frozenset({
    "patient", "subject", "participant", "case", "query", "document", "doc", "question", "example",
    "instance", "item", "image", "sample", "sentence", "region", "site", "center", "centre",
    "hospital", "country", "city", "station", "sensor", "customer", "store", "week", "month", "day",
    "quarter", "language", "lang", "category", "class", "label", "speaker", "scene", "video",
    "proband", "fall", "woche", "monat", "tag", "land", "sprache", "klasse",
    "semaine", "mois", "jour", "pays", "langue", "classe", "semana", "mes", "dia", "pais", "clase",
    "paciente", "sujet", "sujeto",
})  # fmt: skip
# text of these headings says how or where a result was taken, never which arm it is of
_NEVER_ARMS = frozenset({
    "split", "phase", "partition", "subset", "set", "part", "metric", "metrics", "measure", "host",
    "hostname", "node", "machine", "gpu", "device", "server", "cluster", "job_type", "stage",
    "metrik", "mesure", "metrica",
})  # fmt: skip
# text of these headings spells out settings
_CONFIGURATIONS = frozenset({
    "overrides", "override", "hparams", "hyperparameters", "hyperparams", "args", "arguments",
    "command", "cmd", "flags", "options", "settings", "params",
})  # fmt: skip
_LANGUAGES = frozenset({
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th",
    "tr", "uk", "vi", "zh",
})  # fmt: skip
_STATES = frozenset({
    "state", "status", "run_state", "run_status", "trial_state", "job_state", "lifecycle_stage",
    "zustand", "etat", "statut", "estado", "stato", "finished", "completed", "done", "diverged",
    "failed", "crashed",
})  # fmt: skip
# of a run, and without any influence on it
_BOOKKEEPING = frozenset({
    "name", "run_name", "display_name", "run_id", "id", "uuid", "created", "created_at", "started",
    "started_at", "ended", "ended_at", "finished_at", "updated", "updated_at", "start_time",
    "end_time", "start", "end", "date", "datum", "time", "timestamp", "heartbeat_at", "heartbeat",
    "runtime", "duration", "walltime", "wall_time", "elapsed", "user", "username", "user_id",
    "author", "notes", "note", "comment", "comments", "remark", "remarks", "tags", "sweep",
    "description", "url", "link", "path", "artifact_uri", "experiment_id", "experiment_name",
    "source_name", "source_type", "datetime_start", "datetime_complete", "number", "index", "row",
    "_timestamp", "_runtime", "_step", "_wandb", "reported_by",
    "anmerkung", "bemerkung", "notiz", "benutzer", "dauer", "laufzeit", "kommentar", "nr",
    "remarque", "utilisateur", "duree", "commentaire", "nota", "notas", "usuario", "duracion",
    "comentario", "fecha", "utente", "durata", "commento", "data_e_ora",
    "jobid", "job_id", "pid", "slurm_job_id", "time_this_iter_s", "time_total_s", "best_epoch",
    "best_step", "best_iteration",
})  # fmt: skip
# of which several runs may share a value
_SHARED_BOOKKEEPING = frozenset({
    "created", "created_at", "started", "started_at", "ended", "ended_at", "finished_at",
    "updated", "updated_at", "start_time", "end_time", "timestamp", "heartbeat_at",
    "heartbeat", "sweep", "experiment_id", "experiment_name", "source_name", "source_type",
    "artifact_uri", "datetime_start", "datetime_complete", "index", "row", "reported_by",
    "pid", "best_epoch", "best_step", "best_iteration", "time_this_iter_s", "time_total_s",
    "_step", "data_e_ora", "notes", "note", "comment", "comments", "remark", "remarks",
    "description", "anmerkung", "bemerkung", "notiz", "kommentar", "remarque", "commentaire",
    "nota", "notas", "comentario", "commento",
})  # fmt: skip

_MEAN = frozenset({
    "mean", "means", "average", "averages", "avg", "overall", "mittelwert", "mittel", "schnitt",
    "durchschnitt", "gesamt", "moyenne", "moy", "promedio", "media", "medio", "moyen", "ø", "µ",
    "mu",
})  # fmt: skip
_SD = frozenset({
    "sd", "std", "stdev", "stddev", "deviation", "standardabweichung", "stdabw", "streuung",
    "ecart", "desviacion", "deviazione", "±", "sigma", "σ",
})  # fmt: skip
_COUNT = frozenset({"n", "runs", "seeds", "trials", "repeats", "repetitions", "count", "anzahl"})
# labels of rows and columns that sum up the others, one way or another
_OF_ALL = frozenset({
    "all", "total", "grand", "general", "gesamtergebnis", "gesamt", "overall", "gemiddelde",
    "media", "summe", "somme", "totale",
})  # fmt: skip
_DERIVED = frozenset({
    "diff", "difference", "differenz", "diferencia", "differenza", "delta", "δ", "ratio", "gain",
    "improvement", "speedup", "pvalue", "unterschied", "ecart", "verbesserung", "change",
})  # fmt: skip
_BESIDE_MEAN = frozenset({
    "value", "values", "all", "total", "reported", "printed", "published", "claimed", "stated",
})  # fmt: skip
_OF_COUNT = _COUNT | {"num", "number", "no", "of", "run", "seed"}
_OTHER_STATISTICS = frozenset({
    "se", "sem", "stderr", "ci", "ci95", "iqr", "var", "variance", "varianz", "min", "max",
    "minimum", "maximum", "median", "mediane", "mediana", "rank", "rang", "rango", "best", "worst",
    "range", "quantile", "percentile", "p25", "p75", "total", "sum", "summe", "somme", "suma",
    "somma",
})  # fmt: skip
_NO_MEASUREMENT = frozenset({"", "seed", "index", "id", "epoch"})
# measured too, but beside an accuracy it is not the metric
_SECOND = frozenset({
    "loss", "losses", "nll", "perplexity", "ppl", "time", "latency", "runtime", "duration",
    "seconds", "secs", "sec", "minutes", "hours", "ms", "throughput", "dauer", "laufzeit",
})  # fmt: skip
# known before a run
_GIVEN = frozenset({
    "params", "param", "parameters", "weights", "flops", "gflops", "mflops", "macs", "epochs",
    "epoch", "steps", "step", "iterations", "iters", "iter", "lr", "wd", "decay", "dropout",
    "momentum", "batch", "batchsize", "size", "layers", "depth", "width", "heads", "dim", "dims",
    "hidden", "channels", "memory", "mem", "gb", "mb", "gpu", "gpus", "cpu", "cpus", "year",
    "date", "items", "images", "samples", "cost", "budget", "version", "resolution", "patience",
    "temperature", "index", "id", "alpha", "beta", "gamma", "lambda", "eps", "epsilon", "warmup",
    "learning", "rank", "units", "neurons", "tau", "workers", "jahr", "annee", "ano", "anno",
    "lernrate", "tiefe", "breite", "schichten", "apprentissage", "profondeur", "couches",
    "aprendizaje", "profundidad", "capas",
})  # fmt: skip
_MEASURED = frozenset({
    "acc", "accuracy", "accuracies", "top1", "top5", "top", "f1", "f", "f1score", "precision",
    "recall", "specificity", "sensitivity", "auc", "auroc", "auprc", "roc", "pr", "ap", "map",
    "iou", "miou", "dice", "bleu", "sacrebleu", "rouge", "rouge1", "rouge2", "rougel", "meteor",
    "cider", "spice", "chrf", "score", "scores", "loss", "losses", "error", "errors", "err",
    "errs", "rmse", "mse", "mae", "mape", "r2", "perplexity", "ppl", "nll", "bpc", "bpd", "elbo",
    "likelihood", "logloss", "wer", "cer", "eer", "ece", "brier", "fid", "kid", "psnr", "ssim",
    "lpips", "kappa", "mcc", "reward", "return", "returns", "success", "winrate", "ndcg", "mrr",
    "hits", "hit", "em", "exact", "match", "regret", "fitness", "objective", "value", "result",
    "performance", "metric", "correct", "latency", "throughput", "runtime", "time", "duration",
    "seconds", "secs", "sec", "minutes", "hours", "ms", "pearson", "spearman", "gflops",
    "genauigkeit", "fehler", "verlust", "ergebnis", "wert", "punktzahl", "treffer", "trefferquote",
    "exactitude", "erreur", "perte", "resultat", "valeur", "rappel", "justesse",
    "exactitud", "perdida", "resultado", "valor", "puntuacion", "accuratezza", "errore", "perdita",
    "risultato", "valore", "punteggio", "rate", "cross", "entropy", "balanced", "macro", "micro",
    "weighted", "log", "rew", "squared", "absolute",
})  # fmt: skip
_SPLITS = frozenset({
    "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval",
    "evaluation", "final", "last", "best", "max", "min", "mean", "of", "at", "on", "the", "avg",
    "pct", "percent", "metrics", "values", "0", "summary", "epoch", "prozent", "objective",
    "average", "total", "ep", "episode", "rollout", "per",
})  # fmt: skip
_FOLD = frozenset({
    "fold", "folds", "cv", "kfold", "cvfold", "crossval", "falte", "pli", "pliegue", "particion",
    "piega",
})  # fmt: skip
_BESIDE_FOLD = frozenset({
    "k", "cross", "validation", "id", "idx", "index", "no", "nr", "number", "outer", "inner",
    "test", "val", "split",
})  # fmt: skip
_COUNT_OF_SOMETHING = re.compile(r"(?:(?:n|num|number of|no\.? of)[ _.-]+|#\s*)(?=[a-z])")
_RUNS = frozenset({
    "run", "runs", "seed", "trial", "rep", "repeat", "repetition", "replicate", "fold", "cv", "try",
    "attempt", "lauf", "durchlauf", "wiederholung", "versuch", "falte", "graine", "essai",
    "execution", "pli", "semilla", "corrida", "repeticion", "ejecucion", "pliegue", "prova",
    "esecuzione", "seme",
})  # fmt: skip
_PERHAPS_RUNS = frozenset({
    "r", "s", "x", "n", "no", "nr", "split", "value", "result", "wert", "valeur", "valor",
})  # fmt: skip
# metrics of which a number is part of the name
_AT_RANK = frozenset({
    "top", "rouge", "bleu", "f", "ndcg", "hits", "hit", "map", "recall", "precision", "p", "mrr",
})  # fmt: skip
_RUN_WORDS = (
    "r|s|x|run|seed|trial|rep|repeat|repetition|replicate|fold|split|cv|value|result|try|attempt|"
    "lauf|durchlauf|wiederholung|versuch|falte|graine|essai|execution|pli|semilla|corrida|"
    "repeticion|ejecucion|pliegue|prova|esecuzione|seme|wert|random seed|no|nr|n"
)
_A_RUN = re.compile(rf"(?:{_RUN_WORDS})?[ _.#=:-]*\(?\d+\)?")


class Role(StrEnum):
    """What a column holds."""

    VALUE = "value"
    MEAN = "mean"
    SD = "SD"
    COUNT = "number of runs"
    OTHER = "other"


def folded(heading: str) -> str:
    """Return a heading without case, accents and blanks around it."""
    return directions.unaccented(heading)


def words_of(heading: str) -> frozenset[str]:
    """Return the words and numbers of a heading, without case and accents.

    A change from small to capital letters ends a word, as in ``testAcc``.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", heading)
    return frozenset(re.findall(r"[^\W_]+|±", folded(apart)))


def _exactly(heading: str) -> str:
    """Return a heading as the lists of headings have it: ``Run ID`` is ``run_id``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", heading)
    plain = re.sub(r"\s*[(\[].*[)\]]$", "", folded(apart))
    return re.sub(r"[\s.:-]+", "_", plain).strip("#")


def is_arm(heading: str) -> bool:
    """Whether a heading is one of a column of arms."""
    words = [word for word in re.split(r"[_/]+", _exactly(heading)) if word]
    return bool(words) and (
        words[-1] in ARMS or (len(words) > 1 and words[0] in ARMS and words[-1] in ("name", "type"))
    )


def is_seed(heading: str) -> bool:
    """Whether a heading is one of a column that numbers repetitions."""
    return not _numbered(heading) and (_exactly(heading) in _SEEDS or "seed" in words_of(heading))


def is_step(heading: str) -> bool:
    """Whether a heading counts the steps of a curve."""
    return _exactly(heading).rpartition("/")[2] in _STEPS


def is_task(heading: str) -> bool:
    """Whether a heading says on which data a run was made, or for which of many things."""
    return _exactly(heading) in _TASKS or is_unit(heading)


def is_language(heading: str) -> bool:
    """Whether a heading is the code of a language, as ``en``."""
    return folded(heading) in _LANGUAGES


def is_unit(heading: str) -> bool:
    """Whether a heading is of things that results are one each of, as patients and weeks are."""
    words = words_of(heading)
    return bool(words & _UNITS) and words <= _UNITS | {"id", "no", "nr", "name", "number", "index"}


def is_never_arm(heading: str) -> bool:
    """Whether a heading says how or where a result was taken, as ``split`` and ``host`` do."""
    return _exactly(heading) in _NEVER_ARMS


def is_configuration(heading: str) -> bool:
    """Whether a heading is of text that spells out settings."""
    return _exactly(heading) in _CONFIGURATIONS


def may_be_shared(heading: str) -> bool:
    """Whether runs of all arms may have the same value of what names or dates them."""
    name = _exactly(heading)
    return name in _SHARED_BOOKKEEPING or name.startswith(
        ("tags_mlflow_", "mlflow_", "system_attrs_", "_wandb", "_")
    )


def is_state(heading: str) -> bool:
    """Whether a heading says how a run ended."""
    return _exactly(heading) in _STATES


def is_bookkeeping(heading: str) -> bool:
    """Whether a heading is of something that names or dates a run and has no influence on it."""
    name = _exactly(heading)
    return (
        name in _BOOKKEEPING
        or name.startswith(("tags_mlflow_", "mlflow_", "user_attrs_", "system_attrs_", "_wandb"))
        or bool(words_of(heading) & {"id", "uuid", "url", "timestamp", "datetime"})
    )


def is_parent(heading: str) -> bool:
    """Whether a heading is of the run that a run was started from, as MLflow's nested runs have."""
    return re.sub(r"[^a-z]", "", folded(heading)).endswith(("parentrunid", "parentid"))


def is_given(heading: str) -> bool:
    """Whether a heading is of something that is set before a run, as a learning rate is."""
    name = _exactly(heading)
    if name.startswith(("params_", "param_", "config_", "hparams_", "config/")):
        return True
    return name == "k" or (bool(words_of(heading) & _GIVEN) and not is_metric(heading))


def is_metric(heading: str) -> bool:
    """Whether all words of a heading are those of a metric, as ``test/acc`` and ``val loss``."""
    name = _exactly(heading)
    if name.startswith("metrics_"):
        return True
    if folded(heading) in _MEASURED:  # mIoU has no words
        return True
    words = {word for word in words_of(heading) if not word.isdecimal()}
    stems = {re.sub(r"\d+$", "", word) for word in words}
    known = _MEASURED | _SPLITS
    return bool((words | stems) & _MEASURED) and all(
        word in known or re.sub(r"\d+$", "", word) in known for word in words
    )


def measured_words(heading: str) -> frozenset[str]:
    """Return the words of a heading that name a metric."""
    return words_of(heading) & _MEASURED


def is_time(heading: str) -> bool:
    """Whether a heading is of a time that something took."""
    return bool(
        words_of(heading)
        & {
            "time", "seconds", "secs", "runtime", "duration", "ms", "walltime", "elapsed", "dauer",
            "laufzeit", "duree", "duracion", "durata", "zeit", "temps", "tiempo", "tempo",
        }
    )  # fmt: skip


def is_mean(label: str) -> bool:
    """Whether a label of a row is that of a mean, as ``Mean`` and ``Mittelwert``."""
    words = words_of(label)
    if words and words <= _OF_ALL | _MEAN:
        return True
    return bool(words & _MEAN) and words <= _MEAN | _SPLITS | _BESIDE_MEAN


def is_statistic(label: str) -> bool:
    """Whether a label of a row is that of a statistic of the other rows, such as an SD."""
    words = words_of(label)
    known = _SD | _OTHER_STATISTICS | _COUNT | _DERIVED | {"standard", "type", "dev", "std"}
    return is_mean(label) or (bool(words) and (words <= known | _MEAN or words == {"p", "value"}))


def split_words(heading: str) -> frozenset[str]:
    """Return the words of a heading that say on which part of the data a result was taken."""
    return words_of(heading) & {
        "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval",
        "evaluation",
    }  # fmt: skip


def counts_something(heading: str) -> bool:
    """Whether a heading is a number or a bound of something, as ``n_estimators``, ``max_len``."""
    name = folded(heading)
    found = _COUNT_OF_SOMETHING.match(name) or re.match(r"(?:max|min)[ _.-]+(?=[a-z])", name)
    return bool(found) and not words_of(name) <= _OF_COUNT


def roles(headings: Sequence[str]) -> tuple[Role, ...]:
    """Return what each column of numbers holds, the column of names left out.

    Means, SDs and numbers of runs are known by their words, and so are statistics that nothing
    is done with. Of the rest, a column that cannot be the metric beside the others (parameters
    beside losses, either of them beside accuracies) is no value.
    """
    alike = siblings(headings)
    # of a summary, as pandas' describe writes it, 25% is a quantile
    summary = any(words_of(name) & (_MEAN | _SD | {"min", "max"}) for name in headings)
    quantiles = {name for name in headings if summary and re.fullmatch(r"[\d.,]+ ?%", name)}
    found = [
        (Role.OTHER if name in quantiles else _role(name), 0 if name in alike else _level(name))
        for name in headings
    ]
    measured = [level for role, level in found if role in (Role.VALUE, Role.MEAN)]
    metric = min(measured, default=0)
    return tuple(
        role if role is Role.COUNT or level <= metric else Role.OTHER for role, level in found
    )


def numbers_runs(headings: Sequence[str]) -> bool:
    """Whether headings are those of runs: ``run 1``, ``seed=42``, or ``acc_0``, ``acc_1``.

    Numbered names of something else, as ``cifar10`` and ``cifar100``, ``acc@1`` and ``acc@5``, or
    ``acc_epoch1`` and ``acc_epoch2``, are not. Numbers alone have to count up from 0 or 1, and
    those behind a metric from 0: from 1 they may be horizons or classes. A heading without a number
    is the first run of ``run``, ``run2``, and of ``acc``, ``acc.1`` as pandas tells columns of one
    name apart.
    """
    stems = {_bare(name) for name in headings}
    bare = [name for name in headings if not _numbered(name)]
    if len(stems) != 1 or len(bare) > 1 or any(re.search(r"@\s*\d", name) for name in headings):
        return False
    if any(re.fullmatch(r"[A-Z]\d+", name) for name in headings):  # subjects, sensors, sites
        return False
    words = words_of(stems.pop())
    if words & _STEPS:
        return False
    numbers = sorted(run_numbers(headings))
    if bare:
        by_pandas = all(re.search(r"\.\d+$", name) for name in headings if name not in bare)
        counted = numbers == list(range(0 if by_pandas else 1, len(numbers) + (not by_pandas)))
        if by_pandas or not counted:
            return (
                counted and len(numbers) > 1 and bool(words & (_MEASURED | _RUNS | _PERHAPS_RUNS))
            )
    if words & _RUNS and words <= _RUNS | _MEASURED | _SPLITS | {"random"}:
        return True
    from_0 = numbers == list(range(len(numbers)))
    counted = from_0 or numbers == list(range(1, len(numbers) + 1))
    behind = all(re.search(r"\d+\W*(?:[(\[].*[)\]])?$", name) for name in headings)
    return counted and (
        words <= _PERHAPS_RUNS
        or ("split" in words and words <= _MEASURED | _SPLITS | {"split"})
        or (
            from_0 and behind and not bare
            and bool(words & _MEASURED) and words <= _MEASURED | _SPLITS and not words & _AT_RANK
        )
    )  # fmt: skip


def run_numbers(headings: Sequence[str]) -> list[int]:
    """Return the number of each heading of a run: the one that differs, as 0 in ``split0_f1``.

    A heading without a number comes before all others.
    """
    found = [[int(number) for number in re.findall(r"\d+", name)] for name in headings]
    numbered = [numbers for numbers in found if numbers]
    places = range(min(map(len, numbered), default=0))
    differing = [i for i in places if len({numbers[i] for numbers in numbered}) > 1]
    place = differing[0] if len(differing) == 1 else -1
    first = min((numbers[place] for numbers in numbered), default=1) - 1
    return [numbers[place] if numbers else first for numbers in found]


def number_folds(headings: Sequence[str]) -> bool:
    """Whether headings of runs are those of folds, as ``fold 1`` and ``split0_test_score``."""
    known = _MEASURED | _SPLITS
    stems = [words_of(_stem(name)) - known for name in headings]
    return bool(stems) and all(words and is_fold(" ".join(words), (0,)) for words in stems)


def runs_of(metric: str, groups: Mapping[str, list[str]]) -> list[str] | None:
    """Return the headings of the runs of a metric: ``test_score`` is ``split_test_score``, too."""
    asked = folded(metric)
    for stem, names in groups.items():
        if asked in (stem, re.sub(r"^(?:split|fold|cv|run|seed)[ _.-]+", "", stem)):
            return names
    return None


def may_number_runs(headings: Sequence[str]) -> bool:
    """Whether numbered headings are called as runs or as something else, as ``mae_1`` is."""
    stem = common_stem(headings)
    counted = sorted(run_numbers(headings)) == list(range(1, len(headings) + 1))
    return bool(stem) and counted and not words_of(stem) & _AT_RANK


def run_headings(headings: Sequence[str]) -> dict[str, list[str]]:
    """Return the headings of runs by what they have in common, as ``acc`` of ``acc_0``, ``acc_1``.

    One that stands alone has to be called as a run is.
    """
    groups: dict[str, list[str]] = {}
    for name in headings:
        groups.setdefault(_bare(name), []).append(name)
    found = {}
    for stem, names in groups.items():
        numbered = [name for name in names if _numbered(name)]
        for of in (names, numbered):
            if numbered and numbers_runs(of) and (len(of) > 1 or names_a_run(of[0])):
                found[stem] = of
                break
    return found


def with_first_run(headings: Sequence[str]) -> tuple[str, ...]:
    """Return headings of runs alone with a number for the first: ``run1`` of ``run``, ``run2``.

    Without it the column would be taken for one that numbers the runs.
    """
    for names in run_headings(headings).values():
        others = [name for name in headings if name not in names]
        first = next((name for name in names if not _numbered(name)), None)
        if first is None or not (is_seed(first) or is_fold(first, (0,))):
            continue
        if all(not name or is_arm(name) or is_statistic(name) for name in others):
            number = run_numbers(names)[names.index(first)]
            named = f"{first}{'.' if number == 0 else ''}{number}"
            return tuple(named if name == first else name for name in headings)
    return tuple(headings)


def number_runs_of_arms(headings: Sequence[str]) -> bool:
    """Whether headings are arms with their runs: ``base_0``, ``base_1``, ``ours_0``, ``ours_1``."""
    groups: dict[str, list[str]] = {}
    for name in headings:
        stem, number = re.fullmatch(r"(.*?)(\d*)", name.rstrip(" )]"), re.DOTALL).groups()  # type: ignore[union-attr]
        groups.setdefault(stem.rstrip(" _.-#=:([").casefold(), []).append(number)
    if len(groups) < 2 or not all(len(set(of)) == len(of) > 1 for of in groups.values()):
        return False
    alike = len({frozenset(of) for of in groups.values()}) == 1
    return alike or all(
        sorted(of, key=int) in (list(map(str, range(k, k + len(of)))) for k in (0, 1))
        for of in groups.values()
        if all(of)
    )


def siblings(headings: Sequence[str]) -> frozenset[str]:
    """Return the headings that are those of runs: they differ from another in a number only."""
    stems = Counter(_stem(name) for name in headings if _numbered(name))
    firsts = [name for of in run_headings(headings).values() for name in of]
    return frozenset(
        name for name in headings if name in firsts or (_numbered(name) and stems[_stem(name)] > 1)
    )


def names_a_run(heading: str) -> bool:
    """Whether a heading is that of a run by itself, as ``run1``, ``seed 0`` or ``3``."""
    return _A_RUN.fullmatch(folded(heading)) is not None


def is_fold(heading: str, values: Iterable[object] = ()) -> bool:
    """Whether repetitions of that heading are folds of a cross-validation.

    A ``split`` may also be a part of the data, such as train or test: it is one of folds only
    where its values are whole numbers.
    """
    words = words_of(re.sub(r"\d+", " ", heading))
    if words & _FOLD:
        return words <= _FOLD | _BESIDE_FOLD
    given = list(values)
    split = bool(words & {"split", "splits"}) and words <= {"split", "splits"} | _BESIDE_FOLD
    return split and bool(given) and all(whole_seed(value) is not None for value in given)


def surely_names_a_run(label: str) -> bool:
    """Whether a label numbers a run by a word, as ``run 3`` and ``seed=3`` do and ``S3`` not."""
    return names_a_run(label) and bool(words_of(_stem(label)) & _RUNS)


def less_is_better(metric: str) -> bool:
    """Whether a metric is a loss, an error, a time or a cost, as its name says."""
    return directions.less_is_better(metric)


def is_accuracy(metric: str) -> bool:
    """Whether a metric is called an accuracy, as ``val_acc`` is."""
    return re.search(r"acc(?:urac(?:y|ies))?(?![a-z])", metric.casefold()) is not None


def common_stem(headings: Sequence[str]) -> str:
    """Return what numbered headings have in common, as ``err`` of ``err_0`` and ``err_1``."""
    stems = {_stem(name).strip(" _.-#") for name in headings}
    return stems.pop() if len(stems) == 1 else ""


def _stem(heading: str) -> str:
    return re.sub(r"\d+", "", heading.casefold())


def _bare(heading: str) -> str:
    """Return a heading without numbers and the marks beside them."""
    return _stem(heading).strip(" _.-#=:()/[]")


def _numbered(heading: str) -> bool:
    return bool(re.search(r"\d", heading))


def _role(heading: str) -> Role:
    name, words = folded(heading), words_of(heading)
    if name in _NO_MEASUREMENT or words & _OTHER_STATISTICS:
        return Role.OTHER
    if name in _COUNT or ("n" in words and words <= _OF_COUNT):
        return Role.COUNT
    if counted := _COUNT_OF_SOMETHING.match(name):
        return Role.COUNT if words_of(name[counted.end() :]) <= _OF_COUNT else Role.OTHER
    if words & _SD:
        return Role.SD
    return Role.MEAN if words & _MEAN else Role.VALUE


def _level(heading: str) -> int:
    words = words_of(heading)
    return 2 if words & _GIVEN else int(bool(words & _SECOND))
