"""``python -m examples.plain [--storage swift|local] [--port PORT] [--keep DIR] [--clean-up]``"""

from ..serve import main
from .app import clean_up, make_app

if __name__ == "__main__":
    main(make_app, clean_up=clean_up)
