"""``python -m examples.plain [--storage swift|local] [--port PORT] [--keep DIR]``"""

from examples.plain.app import make_app
from examples.serve import main

if __name__ == "__main__":
    main(make_app)
