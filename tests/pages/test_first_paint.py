"""What is true of every page before it is shown."""

import subprocess
import sys

from mnist_core.files import APP_FOLDER

PAGES = ["draw", "learn", "train", "browse", "runs", "inside", "handwriting", "search"]
SCRIPT = f"""
import ast, pathlib, sys
sys.modules['streamlit_drawable_canvas'] = type(sys)('stand-in')  # needs a running app, and no torch
sys.modules['streamlit_drawable_canvas'].st_canvas = sys.modules['streamlit_drawable_canvas'].CanvasResult = None
for page in {PAGES}:
    body = ast.parse(pathlib.Path(f'pages/{{page}}.py').read_text()).body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), 'imports', 'exec'))
    assert 'torch' not in sys.modules, f'{{page}} imports torch'
    assert page != 'draw' or 'pandas' not in sys.modules, 'draw imports pandas'
"""


def test_all_pages_are_painted_without_torch():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=APP_FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
