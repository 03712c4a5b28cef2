"""What the methods of a ranking cite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """A publication, in the words of BibTeX."""

    short: str
    """Authors, as they are named in a sentence."""
    author: str
    title: str
    where: str
    """Journal, publisher or school."""
    year: int
    volume: str = ""
    pages: str = ""
    kind: str = "article"


_PLACE = {"article": "journal", "book": "publisher", "phdthesis": "school"}

REFERENCES: Mapping[str, Reference] = {
    "games1976": Reference(
        "Games and Howell",
        "Games, Paul A. and Howell, John F.",
        "Pairwise multiple comparison procedures with unequal {N}'s and/or variances",
        "Journal of Educational Statistics",
        1976,
        "1",
        "113-125",
    ),
    "welch1947": Reference(
        "Welch",
        "Welch, B. L.",
        "The generalization of `{Student}'s' problem when several different population variances "
        "are involved",
        "Biometrika",
        1947,
        "34",
        "28-35",
    ),
    "hayter1984": Reference(
        "Hayter",
        "Hayter, Anthony J.",
        "A proof of the conjecture that the {Tukey-Kramer} multiple comparisons procedure is "
        "conservative",
        "The Annals of Statistics",
        1984,
        "12",
        "61-75",
    ),
    "holm1979": Reference(
        "Holm",
        "Holm, Sture",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        1979,
        "6",
        "65-70",
    ),
    "ghosh2001": Reference(
        "Ghosh and Kim",
        "Ghosh, Malay and Kim, Yeong-Hwa",
        "The {Behrens-Fisher} problem revisited: a {Bayes}-frequentist synthesis",
        "Canadian Journal of Statistics",
        2001,
        "29",
        "5-17",
    ),
    "nadeau2003": Reference(
        "Nadeau and Bengio",
        "Nadeau, Claude and Bengio, Yoshua",
        "Inference for the generalization error",
        "Machine Learning",
        2003,
        "52",
        "239-281",
    ),
    "dunn1961": Reference(
        "Dunn",
        "Dunn, Olive Jean",
        "Multiple comparisons among means",
        "Journal of the American Statistical Association",
        1961,
        "56",
        "52-64",
    ),
    "piepho2004": Reference(
        "Piepho",
        "Piepho, Hans-Peter",
        "An algorithm for a letter-based representation of all-pairwise comparisons",
        "Journal of Computational and Graphical Statistics",
        2004,
        "13",
        "456-466",
    ),
    "hedges1981": Reference(
        "Hedges",
        "Hedges, Larry V.",
        "Distribution theory for {Glass}'s estimator of effect size and related estimators",
        "Journal of Educational Statistics",
        1981,
        "6",
        "107-128",
    ),
    "janssen1997": Reference(
        "Janssen",
        "Janssen, Arnold",
        "Studentized permutation tests for non-i.i.d. hypotheses and the generalized "
        "{Behrens-Fisher} problem",
        "Statistics and Probability Letters",
        1997,
        "36",
        "9-21",
    ),
    "fisher1935": Reference(
        "Fisher",
        "Fisher, Ronald A.",
        "The Design of Experiments",
        "Oliver and Boyd",
        1935,
        kind="book",
    ),
    "mann1947": Reference(
        "Mann and Whitney",
        "Mann, Henry B. and Whitney, Donald R.",
        "On a test of whether one of two random variables is stochastically larger than the other",
        "The Annals of Mathematical Statistics",
        1947,
        "18",
        "50-60",
    ),
    "brunner2000": Reference(
        "Brunner and Munzel",
        "Brunner, Edgar and Munzel, Ullrich",
        "The nonparametric {Behrens-Fisher} problem: asymptotic theory and a small-sample "
        "approximation",
        "Biometrical Journal",
        2000,
        "42",
        "17-25",
    ),
    "satterthwaite1946": Reference(
        "Satterthwaite",
        "Satterthwaite, F. E.",
        "An approximate distribution of estimates of variance components",
        "Biometrics Bulletin",
        1946,
        "2",
        "110-114",
    ),
    "wilcoxon1945": Reference(
        "Wilcoxon",
        "Wilcoxon, Frank",
        "Individual comparisons by ranking methods",
        "Biometrics Bulletin",
        1945,
        "1",
        "80-83",
    ),
    "benavoli2017": Reference(
        "Benavoli et al.",
        "Benavoli, Alessio and Corani, Giorgio and Dem{\\v{s}}ar, Janez and Zaffalon, Marco",
        "Time for a change: a tutorial for comparing multiple classifiers through {Bayesian} "
        "analysis",
        "Journal of Machine Learning Research",
        2017,
        "18",
        "1-36",
    ),
    "friedman1937": Reference(
        "Friedman",
        "Friedman, Milton",
        "The use of ranks to avoid the assumption of normality implicit in the analysis of "
        "variance",
        "Journal of the American Statistical Association",
        1937,
        "32",
        "675-701",
    ),
    "iman1980": Reference(
        "Iman and Davenport",
        "Iman, Ronald L. and Davenport, James M.",
        "Approximations of the critical region of the {Friedman} statistic",
        "Communications in Statistics -- Theory and Methods",
        1980,
        "9",
        "571-595",
    ),
    "nemenyi1963": Reference(
        "Nemenyi",
        "Nemenyi, Peter B.",
        "Distribution-free multiple comparisons",
        "Princeton University",
        1963,
        kind="phdthesis",
    ),
    "demsar2006": Reference(
        "Demšar",
        "Dem{\\v{s}}ar, Janez",
        "Statistical comparisons of classifiers over multiple data sets",
        "Journal of Machine Learning Research",
        2006,
        "7",
        "1-30",
    ),
    "harris2020": Reference(
        "Harris et al.",
        "Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others",
        "Array programming with {NumPy}",
        "Nature",
        2020,
        "585",
        "357-362",
    ),
    "virtanen2020": Reference(
        "Virtanen et al.",
        "Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others",
        "{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}",
        "Nature Methods",
        2020,
        "17",
        "261-272",
    ),
}


def in_words(keys: Iterable[str]) -> str:
    """Return citations as they stand in plain text."""
    return "; ".join(f"{REFERENCES[key].short} {REFERENCES[key].year}" for key in keys)


def as_text(key: str) -> str:
    """Return a publication as a line of a list."""
    one = REFERENCES[key]
    numbers = " ".join(filter(None, (one.volume, f"({one.year})", one.pages)))
    author = "; ".join(one.author.replace(" and others", " et al.").split(" and "))
    text = f"{author}: {one.title}. {one.where} {numbers}."
    return re.sub(r"[{}]", "", text.replace("{\\v{s}}", "š").replace("{\\'e}", "é"))


def as_bibtex(key: str) -> str:
    """Return a publication as an entry of BibTeX."""
    one = REFERENCES[key]
    fields = {
        "author": one.author,
        "title": one.title,
        _PLACE[one.kind]: one.where,
        "year": str(one.year),
        "volume": one.volume,
        "pages": one.pages.replace("-", "--"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{one.kind}{{{key},", *lines, "}"])
