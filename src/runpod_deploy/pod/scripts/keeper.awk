# Starts the guard of a pod again when it is gone; the guard does the same for this. A job that kills every shell
# (`pkill -9 -f sh`) does not kill this, and its arguments name nothing that a job would look for.
# G is the guard's text, GUARD its process id.

function started(pid,    file, line, part) { # the start time of a process that runs, else ""
    file = "/proc/" pid "/stat"
    line = ""
    getline line <file
    close(file)
    sub(/^.*\) /, "", line)
    split(line, part, " ")
    return part[1] == "Z" ? "" : part[20]
}

BEGIN {
    getline line <"/proc/self/stat"
    split(line, self, " ")
    start = "KEEPER=" self[1] " RUNPOD_DEPLOY_ROLE=\"guard ${RUNPOD_DEPLOY_DIR##*/}@\" setsid sh -c 'eval \"$G\"' guard.sh " \
        "</dev/null >/dev/null 2>&1 & echo $!"
    guard = ENVIRON["GUARD"]
    since = started(guard)
    while (1) {
        system("sleep 1")
        if (since != "" && started(guard) == since) continue
        start | getline guard
        close(start)
        since = started(guard)
    }
}
