# The processes of a job on its pod: which they are, whether it runs, and how it is stopped. Part of other scripts.
#
# DIR is the run's control folder. DIR/pid names the job's supervisor, and the container in which it was started.
# DIR/status is the end of the job: its exit code, its time, and a word if it is not simply that of the script.
# DIR/stopped means that somebody stopped the job. It is made before the first signal, if there is no status yet.
# TAG is in the environment of every process of the job, so that those that left its session are found too. The
# supervisor and the guard have a ROLE there, so that they are found when the folder is gone.

has_variable() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qxF "RUNPOD_DEPLOY_$2"; }

# The processes whose environment has a variable with this value.
# GNU grep searches beyond the first NUL of a file; the grep of busybox does not.
with_variable() {
    if grep --version >/dev/null 2>&1; then grep -lsF "RUNPOD_DEPLOY_$1" /proc/[0-9]*/environ | cut -d/ -f3
    else for p in /proc/[0-9]*; do ! has_variable "${p#/proc/}" "$1" || echo "${p#/proc/}"; done
    fi
}

# Succeeds if the process runs and is no zombie: PID 1 of a container often reaps no children.
runs() { read -r _ _ letter _ <"/proc/$1/stat" && [ "$letter" != Z ]; } 2>/dev/null

# A text that is another one in every container and after every start of it.
container_id() {
    echo "$(cat /proc/sys/kernel/random/boot_id)-$(sed 's/^.*) //' /proc/1/stat | cut -d ' ' -f 20)"
} 2>/dev/null

supervisor() { # DIR TAG
    if read -r pid _ <"$1/pid"; then echo "$pid"; else with_variable "ROLE=job $2" | head -n 1; fi
} 2>/dev/null

# Prints: none | running PID | orphaned PID | ended CODE | killed | lost
# An orphaned job has lost its supervisor and still has processes. A killed one has lost them all; a lost one, its
# container.
job_state() { # DIR TAG
    recorded_end "$1" && return
    pid=$(supervisor "$1" "$2")
    if [ -z "$pid" ]; then echo none
    elif runs "$pid" && has_variable "$pid" "JOB=$2"; then echo "running $pid"
    elif recorded_end "$1"; then return
    elif [ -n "$(members "$2" "$pid")" ]; then echo "orphaned $pid"
    elif grep -qsF " $(container_id)" "$1/pid"; then echo killed
    else echo lost
    fi
}

recorded_end() { read -r code _ <"$1/status" && echo "ended $code"; } 2>/dev/null

# The processes that have the tag or belong to the job's session, except its supervisor and this process.
members() { # TAG SUPERVISOR
    {
        with_variable "JOB=$1"
        ! has_variable "$2" "JOB=$1" || sed -n "s/^\([0-9]*\) (.*) [^Z] [0-9]* [0-9]* $2 .*/\1/p" /proc/[0-9]*/stat
    } 2>/dev/null | sort -u | awk -v supervisor="$2" -v self=$$ '$1 != supervisor && $1 != self'
}

signal_members() { members "$2" "$3" | xargs kill "-$1" 2>/dev/null; }

# No member is left: TERM, and KILL after GRACE_S seconds. Fails if some remain.
end_members() { # TAG SUPERVISOR GRACE_S
    signal_members TERM "$1" "$2"
    signal_members CONT "$1" "$2"
    read -r clock _ </proc/uptime
    end=$((${clock%%.*} + $3))
    while [ "$3" -gt 0 ] && [ "${clock%%.*}" -le "$end" ] && [ -n "$(members "$1" "$2")" ]; do
        sleep 0.1
        read -r clock _ </proc/uptime
    done
    n=50
    while [ "$n" -gt 0 ] && [ -n "$(members "$1" "$2")" ]; do
        signal_members KILL "$1" "$2"
        n=$((n - 1)); sleep 0.1
    done
    [ -z "$(members "$1" "$2")" ]
}

# The files on stdin are gone, and so is what they link to in memory. See write_file in shell.py.
remove_secrets() {
    while IFS= read -r path; do
        # shellcheck disable=SC2088 # a user wrote the tilde
        case $path in '~/'*) path=${HOME:-/root}/${path#??} ;; esac
        place=$(readlink "$path")
        case $place in /dev/shm/runpod-deploy.*) rm -f "$place" ;; esac
        rm -f "$path" "$path.part"
    done
} 2>/dev/null

stop_job() { # DIR TAG GRACE_S
    job=$(supervisor "$1" "$2")
    [ -n "$job" ] || return 0
    [ -e "$1/status" ] || { mkdir -p "$1" && touch "$1/stopped"; } 2>/dev/null
    end_members "$2" "$job" "$3"; left=$?
    n=20
    while [ "$n" -gt 0 ] && [ "$(job_state "$1" "$2")" = "running $job" ]; do n=$((n - 1)); sleep 0.1; done
    return "$left"
}
