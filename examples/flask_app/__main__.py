"""``python -m examples.flask_app [--storage swift|local] [--port PORT] [--keep DIR]``"""

from examples.flask_app.app import make_app
from examples.serve import main

if __name__ == "__main__":
    main(make_app)
