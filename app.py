"""The frame around every page: configuration, navigation, the engine's card. The pages themselves are in `pages/`."""

from pathlib import Path

import streamlit as st

from pages.parts.widgets.basket import basket_card
from pages.parts.widgets.engine_card import engine_card

STATIC = Path(__file__).parent / "static"

st.set_page_config(page_title="Thaw", page_icon=str(STATIC / "favicon.svg"), layout="wide")
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(str(STATIC / f"logo-{theme}.svg"), icon_image=str(STATIC / "favicon.svg"), size="large")

page = st.navigation(
    {
        "": [st.Page("pages/watch/home.py", title="Home", icon=":material/home:", default=True)],
        "Data": [st.Page("pages/data/datasets.py", title="Data sets", icon=":material/photo_library:")],
        "Train": [
            st.Page("pages/train/new_run.py", title="New run", icon=":material/add_circle:"),
            st.Page("pages/train/new_search.py", title="New search", icon=":material/travel_explore:"),
        ],
        "Watch": [
            st.Page("pages/watch/runs.py", title="Runs", icon=":material/list_alt:"),
            st.Page("pages/watch/compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page(
                "pages/watch/run.py",
                title="Run",
                icon=":material/show_chart:",
                visibility="visible" if st.query_params.get("run") else "hidden",
            ),
            st.Page(
                "pages/watch/results.py",
                title="Results",
                icon=":material/grid_on:",
                visibility="visible" if st.query_params.get("run") else "hidden",
            ),
            st.Page("pages/watch/searches.py", title="Searches", icon=":material/manage_search:"),
            st.Page(
                "pages/watch/search.py",
                title="Search",
                icon=":material/query_stats:",
                visibility="visible" if st.query_params.get("search") else "hidden",
            ),
        ],
        "System": [
            st.Page("pages/system/machine.py", title="Machine", icon=":material/memory:"),
            st.Page("pages/system/lab.py", title="Strategy lab", icon=":material/science:"),
        ],
    }
)
with st.sidebar:
    with st.container():  # there even when empty: what comes after it stays in its place
        if page.title != "Compare":
            basket_card()
    engine_card()
page.run()
