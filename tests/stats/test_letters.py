"""Compact letters and rank ranges."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnstudy.stats.vocabulary import shown_group
from attnstudy.stats.wording.letters import compact_letters, group_name, rank_ranges


@st.composite
def differences(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 9))
    pairs = list(combinations(range(count), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return count, chosen


@given(differences())
def test_arms_share_a_letter_iff_not_different(case: tuple[int, list[tuple[int, int]]]) -> None:
    count, different = case
    letters = compact_letters(count, different)
    for pair in combinations(range(count), 2):
        shared = set(letters[pair[0]]) & set(letters[pair[1]])
        assert bool(shared) == (pair not in different)


@given(differences())
def test_no_letter_is_idle(case: tuple[int, list[tuple[int, int]]]) -> None:
    count, different = case
    letters = compact_letters(count, different)
    assert "a" in letters[0]
    members = {
        letter: {i for i in range(count) if letter in letters[i]} for letter in "".join(letters)
    }
    for letter, group in members.items():
        assert not any(group <= other for name, other in members.items() if name != letter)


# a chain, a clique and a gap, whose shortest displays can be found by hand
@pytest.mark.parametrize(
    ("count", "different", "expected"),
    [
        (4, [], ("a", "a", "a", "a")),
        (4, [(0, 2), (0, 3), (1, 3)], ("a", "ab", "bc", "c")),
        (3, [(0, 1), (0, 2), (1, 2)], ("a", "b", "c")),
        (3, [(0, 1)], ("a", "b", "ab")),
        (1, [], ("a",)),
    ],
)
def test_known_displays(
    count: int, different: list[tuple[int, int]], expected: tuple[str, ...]
) -> None:
    assert compact_letters(count, different) == expected


def test_beyond_the_alphabet() -> None:
    assert [group_name(i) for i in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "a", "z", "aa", "ab", "az", "ba", "zz", "aaa",
    ]  # fmt: skip
    letters = compact_letters(30, combinations(range(30), 2))
    assert len(set(letters)) == 30
    assert letters[26] == "aa"


def test_a_table_names_groups_where_it_may_break_and_not_hundreds_of_them() -> None:
    few, many = "a,y,z,aa,ab,ac,ad,ae", ",".join(map(group_name, range(391)))
    assert shown_group("abc") == "abc"
    assert shown_group(few) == "a, y, z, aa, ab, ac, ad, ae"
    assert shown_group(many) == "a … oa (391)"
    assert shown_group(None) == "–"


def test_rank_ranges() -> None:
    assert rank_ranges(4, []) == ((1, 4),) * 4
    assert rank_ranges(3, [(0, 1), (0, 2)]) == ((1, 1), (2, 3), (2, 3))
    assert rank_ranges(3, [(1, 0)]) == ((2, 3), (1, 2), (1, 3))
