"""``python -m examples.plain [--storage swift|local] [--port PORT] [--keep DIR]``"""

from ..serve import main
from .app import make_app

if __name__ == "__main__":
    main(make_app)
