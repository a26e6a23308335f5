"""The application behind a proxy that a server does not know about."""

from werkzeug.middleware.proxy_fix import ProxyFix

from helpers.servers.served import app as served

app = ProxyFix(served, x_for=1, x_proto=1, x_prefix=1)
