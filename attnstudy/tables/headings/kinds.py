"""What a single heading is about: an arm, a seed, a step, a setting, a metric, a statistic."""

from __future__ import annotations

import re

from attnstudy.tables.headings.folding import exactly, folded, has_number, words_of
from attnstudy.tables.headings.vocabulary import (
    ARMS,
    BESIDE_MEAN,
    BESIDE_SUMS,
    BOOKKEEPING,
    BOUNDED,
    CONFIGURATIONS,
    COUNT,
    DERIVED,
    GIVEN,
    GIVEN_BEFORE,
    IDENTITIES,
    LANGUAGES,
    MEAN,
    MEASURED,
    NEVER_ARMS,
    OF_ALL,
    OF_GROUPS,
    OF_TASKS,
    OTHER_STATISTICS,
    PERHAPS_BOUNDED,
    RUN_IDS,
    SD,
    SEEDS,
    SHARED_BOOKKEEPING,
    SPLITS,
    STATES,
    STEPS,
    SUMS_OF_TASKS,
    SURELY_GIVEN,
    TASKS,
    UNITS,
)


def is_arm(heading: str) -> bool:
    """Whether a heading is one of a column of arms."""
    words = [word for word in re.split(r"[_/]+", exactly(heading)) if word]
    return bool(words) and (
        words[-1] in ARMS or (len(words) > 1 and words[0] in ARMS and words[-1] in ("name", "type"))
    )


def is_seed(heading: str) -> bool:
    """Whether a heading is one of a column that numbers repetitions."""
    return not has_number(heading) and (exactly(heading) in SEEDS or "seed" in words_of(heading))


def is_step(heading: str) -> bool:
    """Whether a heading counts the steps of a curve."""
    return exactly(heading).rpartition("/")[2] in STEPS


def is_task(heading: str) -> bool:
    """Whether a heading says on which data a run was made, or for which of many things."""
    return exactly(heading) in TASKS or is_unit(heading)


def is_language(heading: str) -> bool:
    """Whether a heading is the code of a language, as ``en``."""
    return folded(heading) in LANGUAGES


def is_unit(heading: str) -> bool:
    """Whether a heading is of things that results are one each of, as patients and weeks are."""
    words = words_of(heading)
    return bool(words & UNITS) and words <= UNITS | {"id", "no", "nr", "name", "number", "index"}


def is_never_arm(heading: str) -> bool:
    """Whether a heading says how or where a result was taken, as ``split`` and ``host`` do."""
    return exactly(heading) in NEVER_ARMS


def is_configuration(heading: str) -> bool:
    """Whether a heading is of text that spells out settings."""
    return exactly(heading) in CONFIGURATIONS


def may_be_shared(heading: str) -> bool:
    """Whether runs of all arms may have the same value of what names or dates them."""
    name = exactly(heading)
    return name in SHARED_BOOKKEEPING or name.startswith(
        ("tags_mlflow_", "mlflow_", "system_attrs_", "_wandb", "_")
    )


def numbers_rows(heading: str) -> bool:
    """Whether programs write such a column of themselves, as ``index`` and ``_step``."""
    name = exactly(heading)
    return name in ("index", "row") or name.startswith(
        ("tags_mlflow_", "mlflow_", "system_attrs_", "_", "best_")
    )


def is_state(heading: str) -> bool:
    """Whether a heading says how a run ended."""
    return exactly(heading) in STATES


def is_bookkeeping(heading: str) -> bool:
    """Whether a heading is of something that names or dates a run and has no influence on it."""
    name = exactly(heading)
    return (
        name in BOOKKEEPING
        or name.startswith(("tags_mlflow_", "mlflow_", "user_attrs_", "system_attrs_", "_wandb"))
        or bool(words_of(heading) & {"id", "uuid", "url", "timestamp", "datetime"})
    )


def is_run_id(heading: str) -> bool:
    """Whether a heading is of what each run has one of its own of, as ``run_id``."""
    return exactly(heading) in RUN_IDS


def identifies_run(heading: str) -> bool:
    """Whether a heading is of what tells runs apart where nothing numbers them, as ``job_id``."""
    return exactly(heading) in IDENTITIES


def is_of_groups(heading: str) -> bool:
    """Whether a heading is of what many runs have in common, as ``user`` and ``sweep``."""
    return bool(words_of(heading.removeprefix("user_attrs_")) & OF_GROUPS)


def is_parent(heading: str) -> bool:
    """Whether a heading is of the run that a run was started from, as MLflow's nested runs have."""
    return re.sub(r"[^a-z]", "", folded(heading)).endswith(("parentrunid", "parentid"))


def is_given(heading: str) -> bool:
    """Whether a heading is of something that is set before a run, as a learning rate is."""
    name = exactly(heading)
    if name.startswith(("params_", "param_", "config_", "hparams_", "config/")):
        return True
    return name == "k" or (bool(words_of(heading) & GIVEN) and not is_metric(heading))


def is_surely_given(heading: str) -> bool:
    """Whether a heading is that of a setting however varied its values, as ``learning_rate``."""
    if exactly(heading).rpartition("/")[2] in GIVEN_BEFORE:
        return True
    words = words_of(heading)
    if words & {"to", "at", "norm"} or (words & {"coef", "coeff"} and words & (BOUNDED | MEASURED)):
        return False  # steps to a threshold, a dice coefficient
    return bool(words & SURELY_GIVEN)


def is_metric(heading: str) -> bool:
    """Whether all words of a heading are those of a metric, as ``test/acc`` and ``val loss``."""
    name = exactly(heading)
    if name.startswith("metrics_"):
        return True
    if folded(heading) in MEASURED:  # mIoU has no words
        return True
    words = {word for word in words_of(heading) if not word.isdecimal()}
    stems = {re.sub(r"\d+$", "", word) for word in words}
    known = MEASURED | SPLITS
    return bool((words | stems) & MEASURED) and all(
        word in known or re.sub(r"\d+$", "", word) in known for word in words
    )


def measured_words(heading: str) -> frozenset[str]:
    """Return the words of a heading that name a metric."""
    return words_of(heading) & MEASURED


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
    if words and words <= OF_ALL | MEAN:
        return True
    return bool(words & MEAN) and words <= MEAN | SPLITS | BESIDE_MEAN


_NUMERAL = re.compile(r"[1-9][0-9.]*")


_STANDARD_ERROR = re.compile(
    r" (?:st|std|stand|standard|stdev) (?:err|errs|error|errors) "
    r"| stderr | stderror | standarderror "
    r"| standardfehler | std fehler | stdf | sem | sdom "
    r"| (?:sd|std|stdev|stddev|dev|deviation|stdabw|standardabweichung) of (?:the )?"
    r"(?:means?|avg|average) | deviation of (?:the )?sample means? | (?:erreur|error|errore) "
    r"(?:type|typique|standard|estandar|tipico) "
)


def is_standard_error(label: str) -> bool:
    """Whether a label is that of the standard error of a mean, as ``std_err``, which is no SD."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", label)
    words = " ".join(re.findall(r"[^\W_]+", folded(apart)))
    dotted = re.search(r"\bs\. ?e\.(?: ?m\.)?", label, re.IGNORECASE)
    return dotted is not None or _STANDARD_ERROR.search(f" {words} ") is not None


def is_statistic(label: str) -> bool:
    """Whether a label of a row is that of a statistic of the other rows, such as an SD."""
    if _NUMERAL.fullmatch(label):  # nearly all labels of a large table are
        return False
    words = words_of(label)
    known = SD | OTHER_STATISTICS | COUNT | DERIVED | {"standard", "type", "dev", "std"}
    return (
        is_mean(label)
        or (bool(words) and (words <= known | MEAN or words == {"p", "value"}))
        or is_standard_error(label)
    )


def sums_up_tasks(label: str) -> bool:
    """Whether the name of a task says that it sums up others, as ``Micro avg`` and ``Wins``."""
    said = re.sub(r"\s*[(\[].*?[)\]]", "", folded(label)).strip()
    if is_statistic(label) or is_statistic(said) or said in SUMS_OF_TASKS:
        return True
    words = words_of(said)
    return bool(words & OF_TASKS) or (
        bool(words & SUMS_OF_TASKS) and words <= SUMS_OF_TASKS | BESIDE_SUMS
    )


def split_words(heading: str) -> frozenset[str]:
    """Return the words of a heading that say on which part of the data a result was taken."""
    return words_of(heading) & {
        "train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval",
        "evaluation",
    }  # fmt: skip


def is_accuracy(metric: str) -> bool:
    """Whether a metric is called an accuracy, as ``val_acc`` is."""
    return re.search(r"acc(?:urac(?:y|ies))?(?![a-z])", metric.casefold()) is not None


def is_bounded(metric: str) -> bool:
    """Whether a metric is called what is from 0 to 1, or in percent, as an F1 score is."""
    words = {re.sub(r"\d+$", "", word) for word in (*words_of(metric), folded(metric))}
    return is_accuracy(metric) or bool(words & BOUNDED)


def may_be_bounded(metric: str, unnamed: str) -> bool:
    """Whether a metric has a name of anything, as ``score`` is, or none."""
    return metric == unnamed or bool(words_of(metric) & PERHAPS_BOUNDED)
