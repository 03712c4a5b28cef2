"""The parts of a trial, after which it may be stopped."""

from __future__ import annotations

from attnstudy.usecases.tuning.rounds import MOST_PARTS, Stage, stages


def test_between_all_of_a_few_epochs(make_config):
    config = make_config(pruner="median", most_epochs=4)
    seeds = config.seeds
    assert stages(config, 3) == [Stage(seeds, 1, 1), Stage(seeds, 2, 2), Stage(seeds, None, 3)]
    assert stages(config, 1) == [Stage(seeds, None, 1)]


def test_of_many_epochs_at_the_same_few_for_every_trial(make_config):
    """A journal that is read at each would make a search quadratic in its epochs."""
    for most in (32, 33, 100, 1000, 4321):
        config = make_config(pruner="median", most_epochs=most)
        each = [stages(config, epochs) for epochs in (most, most // 2, 5)]
        for parts, epochs in zip(each, (most, most // 2, 5), strict=True):
            assert len(parts) <= MOST_PARTS
            assert parts[-1] == Stage(config.seeds, None, epochs)
            assert all(0 < part.step < epochs for part in parts[:-1])
        longest, half, _ = ([part.step for part in parts[:-1]] for parts in each)
        assert longest[: len(half)] == half
    assert len(stages(make_config(pruner="median", most_epochs=1000), 1000)) == 32


def test_seed_by_seed(make_config):
    config = make_config(pruner="wilcoxon", seeds=(7, 8), most_epochs=1000)
    assert stages(config, 1000) == [Stage((7,), None, 0), Stage((8,), None, 1)]
