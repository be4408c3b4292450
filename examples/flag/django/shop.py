# SPDX-License-Identifier: MIT
"""A Django application, whole, in which each request has one version of the configuration."""
import os

import django
import seqshare
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

config = seqshare.open(os.environ.get("SHOP_CONFIG", "shop"), write=False)


def config_middleware(get_response):
    def middleware(request):
        request.config = config.snapshot()
        return get_response(request)

    return middleware


def index(request):
    return HttpResponse("dark" if request.config["flags"]["dark"] else "light")


urlpatterns = [path("", index)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=["shop.config_middleware"])
django.setup()
application = get_wsgi_application()
