"""``python -m examples.django_app [--storage swift|local] [--port PORT] [--keep DIR] [--clean-up]``"""

from examples.django_app.run import clean_up, make_app
from examples.serve import main

if __name__ == "__main__":
    main(make_app, clean_up=clean_up)
