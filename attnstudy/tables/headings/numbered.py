"""Headings with numbers: which of them are runs, or folds, and which are something else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attnstudy.tables.headings.folding import folded, has_number, words_of
from attnstudy.tables.headings.kinds import is_arm, is_seed, is_statistic
from attnstudy.tables.headings.vocabulary import (
    AT_RANK,
    BESIDE_FOLD,
    FOLD,
    MEASURED,
    ONE_A_RUN,
    PERHAPS_RUNS,
    RUN_WORDS,
    RUNS,
    SPLITS,
    STEPS,
)
from attnstudy.tables.seeds import whole_seed

_NO_COUNT = re.compile(r"\d\s*[.,:/–-]\s*\d")  # 2024-01-02, 0.1, 2/5
_ALONE = re.compile(r"(?<![^\W_])\d+")  # the 5 of acc_5, not of top5
_A_RUN = re.compile(rf"(?:{RUN_WORDS})?[ _.#=:-]*\(?\d+\)?")


def numbers_runs(headings: Sequence[str]) -> bool:
    """Whether headings are those of runs: ``run 1``, ``seed=42``, or ``acc_0``, ``acc_1``.

    Numbered names of something else, as ``cifar10`` and ``cifar100``, ``acc@1`` and ``acc@5``, or
    ``acc_epoch1`` and ``acc_epoch2``, are not, and no dates, decimals or shares. Numbers alone have
    to count up from 0 or 1, and those behind an accuracy, error or loss from 0: from 1 they may be
    horizons, and behind other metrics classes, as ``iou_0`` and ``iou_1``. A heading without a
    number is the first run of ``run``, ``run2``, and of ``acc``, ``acc.1`` as pandas tells columns
    of one name apart.
    """
    stems = {_bare(name) for name in headings}
    bare = [name for name in headings if not has_number(name)]
    if len(stems) != 1 or len(bare) > 1 or any(re.search(r"@\s*\d", name) for name in headings):
        return False
    if any(_NO_COUNT.search(name) for name in headings):
        return False
    if any(re.fullmatch(r"[A-Z]\d+", name) for name in headings):  # subjects, sensors, sites
        return False
    words = words_of(stems.pop())
    if words & STEPS:
        return False
    numbers = sorted(run_numbers(headings))
    if bare:
        by_pandas = all(re.search(r"\.\d+$", name) for name in headings if name not in bare)
        counted = numbers == list(range(0 if by_pandas else 1, len(numbers) + (not by_pandas)))
        if by_pandas or not counted:
            return counted and len(numbers) > 1 and bool(words & (MEASURED | RUNS | PERHAPS_RUNS))
    if words & RUNS and words <= RUNS | MEASURED | SPLITS | {"random"}:
        return True
    if any(len(_ALONE.findall(name)) > 1 or re.search(r"\d\s*%", name) for name in headings):
        return False
    from_0 = numbers == list(range(len(numbers)))
    counted = from_0 or numbers == list(range(1, len(numbers) + 1))
    behind = all(re.search(r"\d+\W*(?:[(\[].*[)\]])?$", name) for name in headings)
    return counted and (
        words <= PERHAPS_RUNS
        or ("split" in words and words <= MEASURED | SPLITS | {"split"})
        or (
            from_0 and behind and not bare
            and bool(words & ONE_A_RUN) and words <= ONE_A_RUN | SPLITS
        )
    )  # fmt: skip


def run_numbers(headings: Sequence[str]) -> list[int]:
    """Return the number of each heading of a run: the one that differs, as 0 in ``split0_f1``.

    A heading without a number comes before all others.
    """
    found = [[int(number) for number in re.findall(r"\d{1,40}", name)] for name in headings]
    numbered = [numbers for numbers in found if numbers]
    places = range(min(map(len, numbered), default=0))
    differing = [i for i in places if len({numbers[i] for numbers in numbered}) > 1]
    place = differing[0] if len(differing) == 1 else -1
    first = min((numbers[place] for numbers in numbered), default=1) - 1
    return [numbers[place] if numbers else first for numbers in found]


def number_folds(headings: Sequence[str]) -> bool:
    """Whether headings of runs are those of folds, as ``fold 1`` and ``split0_test_score``."""
    known = MEASURED | SPLITS
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
    numbers = sorted(run_numbers(headings))
    counted = numbers in (list(range(k, k + len(numbers))) for k in (0, 1))
    return bool(stem) and counted and not words_of(stem) & AT_RANK


def run_headings(headings: Sequence[str]) -> dict[str, list[str]]:
    """Return the headings of runs by what they have in common, as ``acc`` of ``acc_0``, ``acc_1``.

    One that stands alone has to be called as a run is.
    """
    groups: dict[str, list[str]] = {}
    for name in headings:
        groups.setdefault(_bare(name), []).append(name)
    found = {}
    for stem, names in groups.items():
        numbered = [name for name in names if has_number(name)]
        for of in (names, numbered) if len(numbered) < len(names) else (names,):
            if numbered and (len(of) > 1 or names_a_run(of[0])) and numbers_runs(of):
                found[stem] = of
                break
    return found


def with_first_run(headings: Sequence[str]) -> tuple[str, ...]:
    """Return headings of runs alone with a number for the first: ``run1`` of ``run``, ``run2``.

    Without it the column would be taken for one that numbers the runs.
    """
    for names in run_headings(headings).values():
        first = next((name for name in names if not has_number(name)), None)
        if first is None or not (is_seed(first) or is_fold(first, (0,))):
            continue
        others = set(headings) - set(names)
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
    stems = Counter(_stem(name) for name in headings if has_number(name))
    firsts = {name for of in run_headings(headings).values() for name in of}
    return frozenset(
        name for name in headings if name in firsts or (has_number(name) and stems[_stem(name)] > 1)
    )


def names_a_run(heading: str) -> bool:
    """Whether a heading is that of a run by itself, as ``run1``, ``seed 0`` or ``3``."""
    return _A_RUN.fullmatch(folded(heading)) is not None


def is_fold(heading: str, values: Iterable[object] = ()) -> bool:
    """Whether repetitions are folds of a cross-validation, or other draws from one dataset.

    Their heading says it, or their labels do, as ``Fold1``. A ``split`` may also be a part of the
    data, such as train or test: it is one of folds only where its values are whole numbers.
    """
    given = list(values)
    numbered = bool(given) and all(whole_seed(value) is not None for value in given)
    return _says_fold(heading, split=numbered) or (
        numbered and all(_says_fold(str(value), split=True) for value in given)
    )


def _says_fold(text: str, *, split: bool) -> bool:
    words = words_of(re.sub(r"\d+", " ", text))
    known = FOLD | {"split", "splits"} if split else FOLD
    return bool(words & known) and words <= FOLD | BESIDE_FOLD | {"splits"}


def surely_names_a_run(label: str) -> bool:
    """Whether a label numbers a run by a word, as ``run 3`` and ``seed=3`` do and ``S3`` not."""
    return names_a_run(label) and bool(words_of(_stem(label)) & RUNS)


def common_stem(headings: Sequence[str]) -> str:
    """Return what numbered headings have in common, as ``err`` of ``err_0`` and ``err_1``."""
    stems = {_stem(name).strip(" _.-#") for name in headings}
    return stems.pop() if len(stems) == 1 else ""


def _stem(heading: str) -> str:
    return re.sub(r"\d+", "", heading.casefold())


def _bare(heading: str) -> str:
    """Return a heading without numbers and the marks beside them."""
    return _stem(heading).strip(" _.-#=:()/[]")
