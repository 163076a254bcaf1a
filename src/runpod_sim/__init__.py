"""A simulator of the RunPod cloud: its API, its pods, its failures and its bill.

The idea: one process is one cloud. All of its state is in one object, `cloud.Cloud`, which both APIs read and change.
A pod is a container of Linux namespaces with a real SSH server, and costs money by the simulated clock. Whatever can
go wrong is a fault: a JSON object that says which requests or pods it applies to, and how often.

    cli/          runpod-sim serve, exec, faults
    chaos/        runpod-sim chaos: kills a driver while the cloud fails, and checks its bill
    recording/    runpod-sim record, replay: a real account's answers, without what identifies it
    simulator     one cloud, its HTTP server and its folder, from start to end
    image_option  the option --image of several commands
    server        the steps around every handler: faults, User-Agent, size, key, quota
    routes/       the handlers: REST v2, GraphQL, and the simulator's own /_sim/
    store/        a cloud on disk; clean-up after killed simulators
    graphql/      the older API: schema, resolvers
    cloud/        the state and its rules: placement, volumes, balance, bills, ledger
    containers/   pods as containers: boot, namespaces, SSH
    faults/       every kind of fault, and when one applies
    records/      plain values: pods, specs, catalogue, meters, errors
    clock         the time, with a skew
    files         files of others, read and written within bounds

Imports point down this list; the import linter enforces it. Read in this order: simulator, server, routes/pods,
cloud/cloud, containers/supervisor, containers/sandbox; then faults/kinds and faults/fault.

There is one event loop, and no thread but for slow file work. This process relays the pods' SSH connections; their
processes are its children and end with it, because PID 1's parent gets SIGKILL when this process dies.
"""
