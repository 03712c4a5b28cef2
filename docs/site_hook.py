"""For mkdocs: the site has the folders of the repository, so that links are the same in both.

A page links to any other file by its relative path, as on a forge. What is published is named here:
nothing else of a working tree ever is.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PUBLISHED = (
    "*.md", "docs/**/*.md", "docs/images/*", "docs/*.css", "docs/*.js",
    "attnstudy/trainings/contract.py", "benchmarks/results/*", "docker/README.md",
    "examples/*.md", "examples/*/*.*", "studies/*.md", "studies/*/*.*",
)  # fmt: skip


def on_config(config: MkDocsConfig) -> None:
    """Put every decision into the navigation."""
    decisions = next(part["Decisions"] for part in config.nav or [] if "Decisions" in part)
    decisions += published("docs/decisions/0*.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the files of the site: those of the theme, and what is published of the repository."""
    ours = [
        File.generated(config, name, abs_src_path=str(ROOT / name))
        for name in published(*PUBLISHED)
    ]
    return Files([*(file for file in files if file.src_dir != config.docs_dir), *ours])


def published(*patterns: str) -> list[str]:
    """Return the names of files in the repository, each once, in order."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(ROOT).as_posix() for path in found)
