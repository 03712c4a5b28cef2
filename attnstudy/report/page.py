"""The page around the content: head, colours by the reader's screen, layout, print."""

from __future__ import annotations

from collections.abc import Mapping

from attnstudy.report.markup import esc
from attnstudy.report.style import DARK, LIGHT

_PAGE_LIGHT = {"page": "#eef0f4", "soft": "#f2f4f7"}
_PAGE_DARK = {"page": "#0f1217", "soft": "#222832"}

_LAYOUT = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:74rem;margin:0 auto;padding:clamp(.6rem,2.5vw,2rem)}
header,section{background:var(--paper);border:1px solid var(--grid);border-radius:.6rem;
padding:clamp(.9rem,2.5vw,1.8rem);margin-bottom:1rem}
h1,h2,p,li,dd,th,td,figcaption,summary,code{overflow-wrap:anywhere}
h1{font-size:clamp(1.35rem,3.4vw,2rem);line-height:1.2;margin:.2rem 0 .8rem}
h1.long{font-size:clamp(1.1rem,2.4vw,1.35rem);line-height:1.3}
h1::first-letter{text-transform:uppercase}
h2{font-size:1.15rem;margin:0 0 .8rem}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
.scroll+.grid,details+.grid{margin-top:1.6rem}
p{margin:.5rem 0;max-width:75ch}
.origin,.question{color:var(--muted);margin:0}
.question{font-style:italic;margin-bottom:.6rem}
.sentence{margin:1rem 0;padding:.2rem 0 .2rem 1rem;border-left:.3rem solid var(--series-1);
font-size:clamp(1rem,1.8vw,1.15rem)}
.sentence p{margin:0}
.status{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-weight:700;
font-size:.85rem;letter-spacing:.04em;border:2px solid var(--worse);color:var(--worse)}
.status.confirmatory{border-color:var(--better);color:var(--better)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,10rem),1fr));
gap:.7rem 1.2rem;margin:1rem 0 0}
dt{color:var(--muted);font-size:.85rem}
dd{margin:0}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));
gap:1.2rem 2rem;align-items:start}
.grid>*{min-width:0}
.stack{display:grid;gap:1.2rem}
figure{margin:0;break-inside:avoid}
figure svg{display:block;width:100%;height:auto;margin:0}
figure svg *{stroke-linejoin:round}
figure text{font-family:inherit}
figcaption{color:var(--muted);font-size:.88rem;margin-top:.5rem;max-width:75ch}
.scroll{overflow-x:auto;margin:.3rem 0;position:relative}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--series-1);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);font-size:.88rem;padding-bottom:.4rem}
th,td{padding:.4rem .6rem;text-align:left;vertical-align:top;
border-bottom:1px solid var(--grid)}
thead th{color:var(--muted);font-weight:600;vertical-align:bottom;overflow-wrap:normal}
tbody th{font-weight:600;position:sticky;left:0;background:var(--paper);
min-width:min(9rem,32vw);max-width:min(18rem,36vw)}
.number{text-align:right;white-space:nowrap}
thead .number{white-space:normal}
.remarked>*{border-bottom:0;padding-bottom:0}
.remark td{padding-top:.15rem;color:var(--muted);font-size:.95em}
.remark div{position:sticky;left:.6rem;width:fit-content;max-width:min(100%,82vw)}
td small{display:block;color:var(--muted);white-space:normal;font-size:.82em;min-width:8.5rem}
.verdict{font-weight:600;white-space:nowrap}
.better{color:var(--better)}.worse{color:var(--worse)}.equivalent{color:var(--equivalent)}
.undecided{color:var(--undecided)}.descriptive{color:var(--descriptive)}
ul{margin:.3rem 0;padding-left:1.2rem}
li{margin:.35rem 0;max-width:80ch}
.place{color:var(--muted);font-weight:400;margin-right:.3em}
.kind{font-weight:600}
.without{display:block;color:var(--muted)}
details{margin:.8rem 0}
summary{cursor:pointer;font-weight:600;padding:.2rem 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.88em}
pre{background:var(--soft);padding:.8rem;border-radius:.4rem;white-space:pre-wrap;
overflow-wrap:anywhere;margin:.4rem 0}
@media print{
main{max-width:none;padding:0}
header,section{border:0;padding:.4rem 0;border-radius:0}
.scroll{overflow:visible}table{font-size:7.5pt}th,td{padding:.15rem .3rem}
tbody th{position:static}td small{min-width:0}
tr{break-inside:avoid}h2{break-after:avoid}
details::details-content{content-visibility:visible;display:block;block-size:auto}
}
"""


def page(title: str, body: str) -> str:
    """Return a whole HTML document that needs nothing but itself.

    Args:
        title: plain text.
        body: HTML.

    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # no name or note, whatever it holds, can load or run anything
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{esc(title)}</title>\n<style>{_style()}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _style() -> str:
    light = _variables({**_PAGE_LIGHT, **LIGHT})
    dark = _variables({**_PAGE_DARK, **DARK})
    paper = _variables({**_PAGE_LIGHT, **LIGHT, "page": "#fff", "paper": "#fff"})
    return (
        f"\n:root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{paper}}}}}{_LAYOUT}"
    )


def _variables(colours: Mapping[str, str]) -> str:
    return "".join(f"--{role}:{colour};" for role, colour in colours.items())
