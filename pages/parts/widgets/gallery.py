"""Images as tiles with a caption, each of which opens by a click: one component instead of a hundred elements."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

Tone = Literal["good", "bad", "plain", "quiet"]

_HTML = '<div class="gallery" role="list"></div>'

_CSS = """
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--tile, 108px), 1fr)); gap: 14px 12px;
  font-family: var(--st-font); font-size: 13px; line-height: 1.35; color: var(--st-text-color); padding: 3px; }
.tile { position: relative; min-width: 0; }
.open { display: block; width: 100%; padding: 0; border: 0; background: none; font: inherit; color: inherit;
  text-align: left; cursor: pointer; border-radius: 8px; }
.open:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 3px; }
.frame { display: block; aspect-ratio: 1; border-radius: 8px; overflow: hidden; position: relative;
  background: var(--st-secondary-background-color); box-shadow: inset 0 0 0 1px var(--st-border-color);
  transition: transform .12s, box-shadow .12s; }
.open:hover .frame { transform: translateY(-2px); box-shadow: 0 4px 12px rgba(0, 0, 0, .18); }
.frame img { width: 100%; height: 100%; object-fit: contain; display: block; }
.frame img.few { image-rendering: pixelated; }
.frame::after { content: ""; position: absolute; left: 0; right: 0; bottom: 0; height: 4px; }
.good .frame::after { background: var(--st-green-color); } .bad .frame::after { background: var(--st-red-color); }
.faint .frame img { opacity: .3; }
.gone { display: grid; place-items: center; height: 100%; opacity: .55; font-size: 12px; text-align: center; }
.line { display: flex; justify-content: space-between; gap: 6px; white-space: nowrap; }
.text { overflow: hidden; text-overflow: ellipsis; }
.line:first-of-type { margin-top: 5px; }
.line.good { color: var(--st-green-color); font-weight: 600; } .line.bad { color: var(--st-red-color); font-weight: 600; }
.line.plain { font-weight: 600; } .line.quiet { opacity: .72; }
.tick { position: absolute; top: 7px; left: 7px; width: 20px; height: 20px; margin: 0; cursor: pointer;
  accent-color: var(--st-primary-color); }
"""  # noqa: E501

_JS = """
const make = (tag, name, parent) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  parent.appendChild(made);
  return made;
};

export default function (component) {
  const { parentElement, setTriggerValue, data } = component;
  const gallery = parentElement.querySelector(".gallery");
  const drawn = JSON.stringify(data);
  if (gallery.dataset.drawn === drawn) return;
  gallery.dataset.drawn = drawn;
  const root = gallery.getRootNode();
  const focused = root.activeElement && root.activeElement.dataset ? root.activeElement.dataset.id : null;
  gallery.style.setProperty("--tile", `${data.side}px`);
  gallery.replaceChildren();
  for (const one of data.tiles) {
    const tile = make("div", `tile ${one.tone} ${one.is_faint ? "faint" : ""}`, gallery);
    tile.setAttribute("role", "listitem");
    const open = make("button", "open", tile);
    open.type = "button";
    open.dataset.id = one.id;
    open.title = [...one.lines.map(({ text, value }) => `${text} ${value}`), one.id].join("\\n");
    const frame = make("span", "frame", open);
    if (one.source) {
      const image = make("img", one.is_few ? "few" : "", frame);
      image.src = one.source;
      image.alt = "";
    } else {
      make("span", "gone", frame).textContent = "not there any more";
    }
    for (const { text, tone, value } of one.lines) {
      const line = make("span", `line ${tone}`, open);
      make("span", "text", line).textContent = text;
      make("span", "value", line).textContent = value;
    }
    open.onclick = () => setTriggerValue("opened", one.id);
    if (one.is_ticked !== null) {
      const tick = make("input", "tick", tile);
      tick.type = "checkbox";
      tick.checked = one.is_ticked;
      tick.setAttribute("aria-label", `Tick ${one.id}`);
      tick.onchange = () => setTriggerValue("ticked", { id: one.id, is_on: tick.checked });
    }
    if (one.id === focused) open.focus();
  }
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a caption."""

    text: str  # cut where there is no room
    tone: Tone = "quiet"
    value: str = ""  # at the right end, whole


@dataclass(frozen=True, slots=True)
class Tile:
    """An image with what is said of it."""

    id: str
    source: str | None  # address of the picture; None: the image is gone
    lines: tuple[Line, ...]
    tone: Tone = "plain"  # of the bar below the picture
    is_few: bool = False  # few pixels, which stay squares
    is_faint: bool = False  # taken out of the data set
    is_ticked: bool | None = None  # None: it cannot be ticked


_component = st.components.v2.component("thaw_gallery", html=_HTML, css=_CSS, js=_JS)


def gallery(
    tiles: Sequence[Tile],
    *,
    key: str,
    on_open: Callable[[str], None],
    on_tick: Callable[[str, bool], None] | None = None,
    side: int = 108,
) -> None:
    """Draw the tiles, as many in a row as fit.

    Args:
        tiles: The images, in order.
        key: Of the component.
        on_open: Called by a click with the image's id, before the page is drawn again.
        on_tick: The same by a tick, with the image's id and whether it is on.
        side: Each tile is at least so many pixels wide.
    """

    def opened() -> None:
        if image_id := _value(key, "opened"):
            on_open(image_id)

    def ticked() -> None:
        if on_tick and (tick := _value(key, "ticked")):
            on_tick(tick["id"], tick["is_on"])

    _component(
        key=key,
        data={"tiles": [asdict(tile) for tile in tiles], "side": side},
        on_opened_change=opened,
        on_ticked_change=ticked,
    )


def _value(key: str, name: str) -> Any:
    return getattr(st.session_state[key], name, None)
