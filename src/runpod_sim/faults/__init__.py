"""Fault injection: what can go wrong in the simulated cloud, and when.

kinds   every kind of fault, with its parameters and its effect; `runpod-sim faults` prints them
fault   one fault as JSON, and which requests and pods it applies to
facts   the GPU, datacenter, name and id of a request or pod, to compare with a fault's conditions
"""
