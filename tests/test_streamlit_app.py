"""What `streamlit run streamlit_app.py` does before anybody visits; the pages are tested in tests/pages."""

import os
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from mnist_core.files import APP_FOLDER


def test_the_app_listens_on_this_machine_alone_and_says_where(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP_FOLDER / "streamlit_app.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    with subprocess.Popen(
        [*command, f"--server.port={port}", "--server.headless=true"],
        cwd=tmp_path,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=30) as answer:
                assert answer.status == 200
            # another of this machine's own addresses, where it has several: who listens on all is there, too
            with pytest.raises(OSError, match=r"refused|timed out|unreachable|assign"):
                socket.create_connection(("127.0.0.2", port), timeout=2).close()
        finally:
            process.kill()
    assert address == f"http://127.0.0.1:{port}"
