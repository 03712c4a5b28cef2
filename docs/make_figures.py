"""Draw the pictures of README and site into docs/images.

With ``--check`` only say what is out of date. ``--report`` also photographs the page of a ranking,
for which ``chromium`` has to be on the PATH. A photograph depends on the browser, so it is not
compared.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from rich.text import Text
from scipy import special

import attnstudy
from attnstudy.report.figures import written
from attnstudy.report.style import DASHES, INK, MARKERS, MUTED, SERIES, styled
from attnstudy.stats import Verdict

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
STUDY = ROOT / "studies" / "notebook"

# That of rich names a font at a distant server.
TERMINAL = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px Menlo, Consolas, monospace; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def terminal() -> bytes:
    """Return a terminal with what ``attnstudy rank`` says of the notebook's study."""
    said, verdict, rest = (STUDY / "ranking.txt").read_text("utf-8").partition("Verdict: ")
    console = Console(record=True, width=100, file=StringIO(), force_terminal=True)
    console.print(Text("$ attnstudy rank notebook", style="bold"))
    console.print(Text(said + verdict + rest.partition("\n")[0]))
    svg = console.export_svg(title="attnstudy", code_format=TERMINAL, unique_id="terminal")
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines()).encode()


def equal_arms() -> Figure:
    """Draw ten studies of four equal models: in each, some model has the best mean of four runs."""
    rng = np.random.default_rng(1)
    means = rng.normal(60.0, 1.0, (10, 4, 4)).mean(axis=2)
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for study, row in enumerate(means, start=1):
        axes.plot([row.min(), row.max()], [study, study], color=MUTED, linewidth=0.8, zorder=1)
        best = int(row.argmax())
        for model, mean in enumerate(row):
            axes.plot(
                mean, study, "osD^"[model], color=SERIES[model],
                markersize=7 if model == best else 5,
                markerfacecolor=SERIES[model] if model == best else "white",
                label="ABCD"[model] if study == 1 else None,
            )  # fmt: skip
        axes.text(
            61.75, study, f"{'ABCD'[best]} is first by {np.sort(row)[-1] - np.sort(row)[-2]:.2f}",
            va="center", color=INK,
        )  # fmt: skip
    axes.set(
        xlabel="mean accuracy of four runs (%); the true mean of all four models is 60",
        ylabel="study", yticks=range(1, 11), ylim=(10.6, 0.4), xlim=(58.6, 63.2),
    )  # fmt: skip
    axes.axvline(60.0, color=MUTED, linewidth=0.8, linestyle=":")
    figure.legend(loc="outside upper center", ncols=4)
    return figure


def looks() -> Figure:
    """Draw how often two equal models are told apart at least once by looking again and again."""
    runs = np.random.default_rng(2).normal(size=(20_000, 2, 30))
    count = np.arange(1, 31)
    mean = runs.cumsum(axis=2) / count
    square = np.maximum((runs**2).cumsum(axis=2) - count * mean**2, 0.0) / np.maximum(count - 1, 1)
    error = square / count
    with np.errstate(divide="ignore", invalid="ignore"):  # of one run
        t = (mean[:, 0] - mean[:, 1]) / np.sqrt(error.sum(axis=1))
        df = (count - 1) * error.sum(axis=1) ** 2 / (error**2).sum(axis=1)
    p = 2.0 * special.stdtr(np.where(df > 0.0, df, 1.0), -np.abs(t))  # Welch's test
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    every = [100.0 * (p[:, 2:n] < 0.05).any(axis=1).mean() for n in count[2:]]
    axes.plot(count[2:], every, color=SERIES[1], label="a look after every run, each at .05")
    declared = [5, 10, 20, 30]
    split = [
        100.0 * (p[:, [n - 1 for n in declared[:done]]] < 0.05 / 4).any(axis=1).mean()
        for done in range(1, 5)
    ]
    axes.step(
        [*declared, 31], [*split, split[-1]], where="post", color=SERIES[0], linestyle=DASHES[1],
        label="four declared looks (5, 10, 20, 30 runs), each at .05 / 4",
    )  # fmt: skip
    axes.axhline(5.0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="runs of each model so far", ylabel="studies with a false claim (%)",
        xlim=(2.5, 30.5), ylim=(0, 27), yticks=range(0, 26, 5),
    )  # fmt: skip
    axes.grid(axis="y")
    figure.legend(loc="outside upper left")
    return figure


def seeds() -> Figure:
    """Draw how many seeds show a difference in 80 % of studies, for two, four and eight arms."""
    from attnstudy.stats.comparisons.critical import Family
    from attnstudy.stats.evidence.pair_power import PairPower

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    gaps = np.geomspace(0.5, 4.0, 15)
    one = np.ones_like(gaps)
    for place, arms in enumerate((2, 4, 8)):
        needed = PairPower(Family(arms, 0.05), one, one).seeds(gaps)
        axes.plot(
            gaps, [float(n or np.nan) for n in needed], color=SERIES[place],
            linestyle=DASHES[place], marker="osD"[place], markersize=3.5,
            label=f"{arms} arms, {arms * (arms - 1) // 2} "
            f"pair{'s' * (arms > 2)}",
        )  # fmt: skip
    ticks = {"x": (0.5, 1, 2, 4), "y": (3, 5, 10, 20, 50, 100)}
    axes.set(
        xscale="log", yscale="log", ylim=(2.7, 140), ylabel="seeds per arm",
        xlabel="true difference, in standard deviations between seeds",
    )  # fmt: skip
    axes.set_xticks(ticks["x"], [f"{tick:g}" for tick in ticks["x"]])
    axes.set_yticks(ticks["y"], [f"{tick:g}" for tick in ticks["y"]])
    axes.minorticks_off()
    axes.grid(axis="y")
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def verdicts() -> Figure:
    """Draw intervals with all verdicts that a margin of half a point allows."""
    shape = np.array([-1.2, -0.7, -0.2, 0.2, 0.7, 1.2])
    cases = {"large": (1.6, 0.3), "small": (0.3, 0.1), "same": (0.05, 0.15), "vague": (0.6, 0.7)}
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    words = {
        "large": "better, by more than the margin", "small": "better, by less than the margin",
        "same": "equivalent", "vague": "undecided",
    }  # fmt: skip
    for place, (name, (difference, sd)) in enumerate(cases.items()):
        arms = {"new": 60.0 + difference + sd * shape, "old": 60.0 + sd * shape[::-1]}
        values = {arm: runs.tolist() for arm, runs in arms.items()}
        (pair,) = attnstudy.rank(values, metric="accuracy", margin=0.5).pairs
        expected = {"same": Verdict.EQUIVALENT, "vague": Verdict.UNDECIDED}
        assert pair.verdict is expected.get(name, Verdict.BETTER), (name, pair)
        low, high, middle = pair.ci_low, pair.ci_high, pair.difference
        assert low is not None
        assert high is not None
        assert middle is not None
        marker, line, filled = MARKERS[pair.verdict]
        colour = SERIES[(2, 2, 0, 3)[place]]
        axes.plot([low, high], [place, place], color=colour, linestyle=line)
        axes.plot(
            middle,
            place,
            marker,
            color=colour,
            markerfacecolor=colour if filled else "white",
        )
    axes.axvspan(-0.5, 0.5, color="#c9cfd8", alpha=0.5, linewidth=0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.set(
        xlabel="new − old, points of accuracy; grey: the margin of half a point",
        yticks=range(4), yticklabels=list(words.values()), ylim=(3.6, -0.6),
    )  # fmt: skip
    return figure


def photograph() -> bytes:
    """Return what the page of the notebook's ranking looks like in a browser, as PNG."""
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "page.png"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--force-device-scale-factor=1.5", "--window-size=1000,1130", f"--screenshot={taken}",
             (STUDY / "ranking.html").as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
        image = Image.open(taken).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        buffer = BytesIO()
        image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


DRAWN: dict[str, Callable[[], Figure]] = {
    "equal-arms": equal_arms, "looks": looks, "seeds": seeds, "verdicts": verdicts,
}  # fmt: skip


def drawn() -> dict[str, bytes]:
    """Return the files that are the same wherever they are made, by name."""
    files = {"terminal.svg": terminal()}
    for name, draw in DRAWN.items():
        with styled():
            figure = draw()
        files[f"{name}.svg"] = written(figure, name, "svg")
    return files


def main() -> int:
    """Write the pictures, or compare them."""
    files = drawn()
    if "--check" in sys.argv:
        old = [name for name, content in files.items() if not same(IMAGES / name, content)]
        if old:
            sys.stderr.write(f"{', '.join(old)}: out of date, run 'make docs' and commit them\n")
        return bool(old)
    if "--report" in sys.argv:
        files["report.png"] = photograph()
    for name, content in files.items():
        (IMAGES / name).write_bytes(content)
    return 0


def same(path: Path, content: bytes) -> bool:
    """Say whether a file has this content."""
    return path.exists() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
