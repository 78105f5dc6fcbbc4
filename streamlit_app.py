"""The app: `streamlit run streamlit_app.py`. Its layout and its pages are in pages/app.py."""

import pathlib

import streamlit as st
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit import file_util

PAGES = pathlib.Path(__file__).parent / "pages"
# Streamlit's browser side would look for its server below the page's own path first, and its console show two 404s. It
# is beside the page, also behind a proxy that serves all below a path of its own.
ROOT = "<script>window.__streamlit = { BACKEND_BASE_URL: new URL('.', location.href).href }</script>"


def serve_page(_: object) -> HTMLResponse:
    """Streamlit's own page, told where its server is."""
    html = pathlib.Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    return HTMLResponse(html.replace("<head>", f"<head>{ROOT}", 1), headers={"Cache-Control": "no-cache"})


app = st.App(PAGES / "app.py", routes=[Route(f"/{page.stem}", serve_page) for page in sorted(PAGES.glob("[a-z]*.py"))])
