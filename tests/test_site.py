"""The documentation as a site: it is built strictly, and asks nobody for anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import attnstudy

ROOT = Path(__file__).parent.parent
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


def build(configuration, folder):
    pytest.importorskip(
        "material", reason="mkdocs-material is not installed: make .venv/.installed-dev"
    )
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", configuration, "-d", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("link", ["nowhere.md", "page.md#nowhere", "../folder", "/absolute.md"])
def test_a_link_that_leads_nowhere_fails_the_build(link, tmp_path):
    """With the settings of the site, for one page."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Index\n\n[a link]({link})\n")
    (tmp_path / "docs" / "page.md").write_text("# Page\n")
    settings = (ROOT / "mkdocs.yml").read_text()
    validation = settings[settings.index("validation:") :]
    configuration = tmp_path / "mkdocs.yml"
    configuration.write_text(f"site_name: one\n{validation}")
    done = build(configuration, tmp_path / "site")
    assert done.returncode == 1, done.stderr
    assert link in done.stderr


class Resources(HTMLParser):
    """What a browser loads with a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs).get(LOADED.get(tag, ""))
        if found is not None and dict(attrs).get("rel") not in ("canonical", "next", "prev"):
            self.found.append(found)


def test_all_that_a_page_loads_lies_in_the_site(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        for name in Resources(page.read_text()).found:
            if not name.startswith("data:"):
                assert ":" not in name, (page, name)
                assert not name.startswith("//"), (page, name)
                place = page.parent / unquote(name.partition("?")[0].partition("#")[0])
                if page.name != "404.html":  # which is served at any address
                    assert place.is_file(), (page, name)
    for style in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text()), style


def test_nothing_of_a_working_tree_is_published_but_its_documentation(site):
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert not [name for name in names if re.search(r"(^|/)(mlruns|secrets|\.venv|tests)/", name)]
    assert {
        "index.html",
        "docs/tutorial.html",
        "docs/decisions/0001-run-folder-is-the-truth.html",
    } < names


def test_the_interface_has_all_that_programs_import(site):
    page = (site / "docs" / "api.html").read_text()
    told = {*re.findall(r'id="(attnstudy\.[\w.]+)"', page)}
    assert {f"attnstudy.{name}" for name in attnstudy.__all__} <= told
    members = {f"attnstudy.Run.{name}" for name in vars(attnstudy.Run) if name[0] != "_"}
    assert members <= told
    assert "<blockquote>" not in page  # which is what an example without its heading would be


def test_the_search_finds_pages_without_a_server(site):
    if not shutil.which("chromium"):
        pytest.skip("there is no chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.wait_for_selector("body:not(.no-js)")
        page.click(".md-search__input")
        page.keyboard.type("equivalence", delay=20)
        page.wait_for_selector(".md-search-result__item a[href*='statistics.html']")
        browser.close()
    assert not [address for address in asked if not address.startswith(("file:", "data:"))]
