"""The cluster and what the middleware sets up in it.

``metadata``       the metadata of accounts and containers that hold keys and CORS
``capabilities``   what the cluster can do, read from ``/info`` and tried
``provisioning``   create the containers, with their keys and CORS
"""
