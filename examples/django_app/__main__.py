"""``python -m examples.django_app [--storage swift|local] [--port PORT] [--keep DIR]``"""

from examples.django_app.run import make_app
from examples.serve import main

if __name__ == "__main__":
    main(make_app)
