"""The whole server: the pages, the routes beside them, the guard around both."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from web import downloads, exports, uploads
from web.guard import Guard

# Our `pages/` is not Streamlit's old self-discovered folder. Unsaid, the first session of a server takes it for one,
# and a link like /run?run=ID opens there under "Page not found".
PagesManager.uses_pages_directory = False

app = st.App(
    Path(__file__).parent.parent / "app.py",
    routes=[*downloads.ROUTES, *exports.ROUTES, *uploads.ROUTES],
    middleware=[Middleware(Guard)],
)
