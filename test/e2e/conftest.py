import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "story")]
os.environ.setdefault("LC_ALL", "C.UTF-8")
