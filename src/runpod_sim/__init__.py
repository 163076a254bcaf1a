"""A simulator of the RunPod cloud: its API, its pods, its failures and its bill.

How it hangs together, from the outside in:

    cli          serve, exec, faults
    simulator    one cloud, its HTTP server and its folder, from start to end
    folders      whose a folder is, and what killed simulators left; state: a cloud on disk
    server       what every request goes through: faults, User-Agent, size, key, quota; then a handler
    routes_*     the handlers; answers reads requests and writes answers; control is /_sim/
    graph_*      the older API: graph.graphql is its schema, graph what its fields do, graph_view how they look
    cloud        who may rent what, what becomes of pods, what it costs
    asks, changes                a create body made complete; a PATCH body laid over it
    placement, catalogue         where a pod can go; what there is
    templates, records, billing  the account's other things; its bills
    life         one pod from placing to its end
    container, sandbox, podroot/ what is in a container; how one is made of namespaces
    sshd, session                a pod's SSH server; one session in it
    faults, occasions, misfortunes  what can go wrong; what a request is about; what struck requests are answered
    limits, meter, ledger, pace, clock, view, validation, schemas, problems

One event loop, no threads but for deleting folders. A pod's SSH connections are relayed by this process; its
processes are children of it and end with it (a death signal on the parent of PID 1).
"""
