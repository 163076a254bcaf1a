"""The older API, RunPod's GraphQL.

graph.graphql   its schema
execution       runs a query; words errors as RunPod does
resolvers       what each query and mutation does to the cloud
bodies          its create inputs as REST v2 bodies; view: pods, GPUs and templates as it shows them
prices          the lowest price and the stock of a kind, under its filters
"""
