"""The handlers of all HTTP routes.

pods, logs, catalogue, volumes, templates, registries, account, billing   REST v2, one module per resource
graphql         the older API's single route
control         /_sim/, the simulator's own API
document        the description of these routes, as OpenAPI
answers         read requests, write answers; quotas: request limits per key
fault_answers   the answers to requests that a fault applies to
"""
