"""A simulator of the RunPod cloud: its API, its pods, its failures and its bill.

How it hangs together, from the outside in:

    cli          serve, exec, faults
    simulator    one cloud, its HTTP server and its folder, from start to end
    server       what every request goes through: faults, User-Agent, size, key, quota; then a handler
    routes_*     the handlers; answers reads requests and writes answers; control is /_sim/
    cloud        who may rent what, what becomes of pods, what it costs
    asks, placement, catalogue   a create body made complete; where it can go; what there is
    life         one pod from placing to its end
    container, sandbox, podroot/ what is in a container; how one is made of namespaces
    sshd, session                a pod's SSH server; one session in it
    faults, limits, meter, ledger, pace, clock, view, validation, schemas, problems

One event loop, no threads but for deleting folders. A pod's SSH connections are relayed by this process; its
processes are children of it and end with it (a death signal on the parent of PID 1).
"""
