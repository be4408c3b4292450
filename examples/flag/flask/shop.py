# SPDX-License-Identifier: MIT
"""A Flask application in which each request has one version of the configuration."""
import os

import flask
import seqshare

config = seqshare.open(os.environ.get("SHOP_CONFIG", "shop"), write=False)
application = flask.Flask(__name__)


@application.before_request
def take_one_version():
    flask.g.config = config.snapshot()


@application.route("/")
def index():
    return "dark" if flask.g.config["flags"]["dark"] else "light"
