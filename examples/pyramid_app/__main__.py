"""``python -m examples.pyramid_app [--storage swift|local] [--port PORT] [--keep DIR] [--clean-up]``"""

from examples.pyramid_app.app import clean_up, make_app
from examples.serve import main

if __name__ == "__main__":
    main(make_app, clean_up=clean_up)
