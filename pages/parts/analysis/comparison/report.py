"""A comparison as one HTML file that needs nothing else: sentences, charts that answer to the mouse, tables."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

from pages.parts.palette import LIGHT

# No line of it may ask a network for anything. Plotly makes some of its functions of text: hence `unsafe-eval`.
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
STYLE = f"""
body {{ font: 15px/1.55 Pretendard, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', system-ui, sans-serif;
  color: {LIGHT.text}; max-width: 1120px; margin: 2.5rem auto; padding: 0 1.25rem; }}
h1 {{ font-size: 1.7rem; margin: 0 0 .2rem; }} h2 {{ font-size: 1.15rem; margin: 2.4rem 0 .6rem; }}
.quiet {{ color: {LIGHT.muted}; font-size: .9rem; }}
.said {{ border: 1px solid {LIGHT.line}; border-radius: 10px; padding: .9rem 1.1rem; margin: 1.2rem 0; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: .9rem; }}
.numbers td, .numbers th {{ padding: .35rem .9rem .35rem 0; border-bottom: 1px solid {LIGHT.line}; text-align: left;
  white-space: nowrap; }}
summary {{ cursor: pointer; margin-top: 1rem; }}
"""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    figure: Figure
    note: str = ""


def report(
    title: str,
    subtitle: str,
    sentences: Sequence[str],
    charts: Sequence[Chart],
    tables: Sequence[tuple[str, str]],
    folded: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole file, as HTML.

    Args:
        title: Of the page.
        subtitle: The line below it.
        sentences: The comparison in words, as HTML.
        charts: Drawn one below the other.
        tables: Pairs of a title and HTML.
        folded: As `tables`; each opens by a click.
    """
    body = [f"<h1>{html.escape(title)}</h1>", f'<div class="quiet">{html.escape(subtitle)}</div>']
    if sentences:
        body.append(f'<div class="said">{" ".join(sentences)}</div>')
    for chart in charts:
        drawn = chart.figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
        body.append(f"<h2>{html.escape(chart.title)}</h2>{drawn}")
        body += [f'<div class="quiet">{html.escape(chart.note)}</div>'] if chart.note else []
    body += [f"<h2>{html.escape(name)}</h2>{table}" for name, table in tables]
    body += [f"<details><summary>{html.escape(name)}</summary>{table}</details>" for name, table in folded]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><script>{get_plotlyjs()}</script>"
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def table_html(columns: Sequence[str], rows: Sequence[Sequence[str]], first: Sequence[str] = ()) -> str:
    """Texts as a table, shown letter for letter; `first` is HTML that stands before each row's first text."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = []
    for place, row in enumerate(rows):
        cells = [html.escape(text) for text in row]
        cells[0] = (first[place] if first else "") + cells[0]
        body.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f'<div class="wide"><table class="numbers"><tr>{head}</tr>{"".join(body)}</table></div>'
