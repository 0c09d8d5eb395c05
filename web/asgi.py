"""The whole server: the pages, the routes beside them, the guard around both."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from web import downloads, uploads
from web.guard import Guard

app = st.App(
    Path(__file__).parent.parent / "app.py",
    routes=[*downloads.ROUTES, *uploads.ROUTES],
    middleware=[Middleware(Guard)],
)
