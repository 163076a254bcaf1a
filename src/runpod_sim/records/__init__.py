"""The records of the cloud as plain values. Nothing here starts a process or knows HTTP.

pods        a pod: its spec, status, meter and logs
pod_spec    a create body made complete and checked; changes: the same for a PATCH body
pod_rules   the rules for a container that no schema states
catalogue   GPUs, CPUs, datacenters, prices, stock (catalogue.json)
templates   defaults, and the public templates
meter       the cost of a pod or volume so far
images      known images and the programs that they bring
view        pods and catalogue as REST v2 shows them; stock: what of it is free
schemas     the bodies that REST v2 accepts; validation checks them; problems are the errors
"""
