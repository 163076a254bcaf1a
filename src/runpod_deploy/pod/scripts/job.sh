#!/bin/sh
# The job of a run on its pod: started once, supervised, stopped with all of its processes. See also follow.sh.
# job.sh start  DIR LOG SCRIPT TAG BYTES [BACKGROUND [MARKER [IDLE_S]]]     script on stdin; prints the job's pid
# job.sh stop   DIR TAG GRACE_S
# job.sh status DIR TAG                                                     see job_state
# job.sh log    DIR LOG TAG                                                 prints the path of the log as it can be read
#
# DIR/pid decides who runs the job: whoever creates it first. DIR/pid.PID stays the same file: if the guard writes DIR/pid
# anew, a follower still sees that the folder was lost. DIR/status is renamed into place from a file that was
# allocated at the start, since the job may have filled the disk. The supervisor keeps what it needs in memory, and its
# arguments name nothing that a job may kill by name. The log is its open file 5, whatever becomes of the path.
set -u
umask 022

start() {
    dir=$1 log=$2 script=$3 tag=$4 bytes=$5
    mkdir -p "$dir" "${log%/*}/" "${script%/*}/" || exit 1
    if [ ! -e "$dir/pid" ] && [ -z "$(supervisor "$dir" "$tag")" ]; then
        cat >"$dir/script.$$" || exit 1
        if [ "$(wc -c <"$dir/script.$$")" -ne "$bytes" ]; then
            rm -f "$dir/script.$$"; echo 'the script did not arrive whole' >&2; exit 1
        fi
        RUNPOD_DEPLOY_WORK=supervise D=$dir L=$log S=$script F=$dir/script.$$ BACKGROUND=${6-wait} MARKER=${7-} IDLE_S=${8-60} \
            RUNPOD_DEPLOY_JOB=$tag RUNPOD_DEPLOY_ROLE="job $tag" J=$(cat "$0") E=$(cat "${0%/*}/env.bash") \
            setsid sh -c 'eval "$J"' job.sh </dev/null >/dev/null 2>"$dir/start_errors" &
    fi
    await_supervisor
    pid=$(supervisor "$dir" "$tag")
    [ -n "$pid" ] || { cat "$dir/start_errors" >&2; exit 1; }
    echo "$pid"
}

# Of several that begin at once, one becomes the supervisor: DIR/pid says which. A job may have removed that file, so
# after a second the supervisor is looked for among the processes.
await_supervisor() {
    n=0
    until [ -e "$dir/pid" ] || [ "$n" -ge 100 ] || { [ "$n" -gt 10 ] && [ -n "$(supervisor "$dir" "$tag")" ]; }
    do n=$((n + 1)); sleep 0.1; done
}

supervise() {
    dir=$D log=$L script=$S fresh=$F tag=$RUNPOD_DEPLOY_JOB text=$J env_bash=$E background=$BACKGROUND
    marker=$MARKER idle_s=$IDLE_S
    unset D L S F J E BACKGROUND MARKER IDLE_S RUNPOD_DEPLOY_ROLE RUNPOD_DEPLOY_WORK RUNPOD_DEPLOY_COMMAND
    trap : TERM HUP INT
    echo "$$ $(container_id)" >"$dir/pid.$$"
    if ! ln "$dir/pid.$$" "$dir/pid"; then rm -f "$dir/pid.$$" "$fresh"; exit 0; fi
    printf '%64s\n' '' >"$dir/status.new"
    secrets=$(sed -n 's/^secret //p' "$dir/guard/terms" 2>/dev/null)
    : >"$log"
    exec 5>>"$log"
    make_proof
    code=127 how=exited
    if mv "$fresh" "$script"; then run_script; code=$?; fi
    [ -z "$proof" ] || check_proof
    [ "$code" -ne 0 ] || await_background
    printf '%s\n' "$secrets" | remove_secrets
    end_job
}

# In a process of its own: shells may redirect a plain command's files in themselves meanwhile, and file 5 must stay.
run_script() {
    (
        export E="$env_bash"
        exec bash -c 'eval "$E"; unset E; exec bash "$0"' "$script" >&5 2>&1 5>&-
    )
}

# The script tells through file 6 which file it sources next, and that its body begins. See job_script in shell.py.
make_proof() {
    proof=$dir/proof.$$
    if mkfifo "$proof" 2>/dev/null; then exec 6<>"$proof"; rm -f "$proof"; else proof=''; exec 6>/dev/null; fi
}

# A script that ended before its body has failed, whatever its exit code.
check_proof() {
    echo end >&6
    reached=''
    while read -r line <&6; do
        case $line in
            body) return ;;
            end) break ;;
            *) reached=$line ;;
        esac
    done
    [ -n "$reached" ] || return 0 # a script without a preamble
    echo "runpod-deploy: the job did not begin: $reached ended its shell with exit code $code" >&5
    [ "$code" -ne 0 ] || code=97
    how=preamble
}

# The end is on disk. The log stays readable if its path is gone or is another file by now.
end_job() {
    row="$code $(date +%s) $how"
    [ "$log" -ef "/proc/$$/fd/5" ] || { mkdir -p "$dir" && cat "/proc/$$/fd/5" >"$dir/log"; }
    [ -e "$dir/status.new" ] && printf '%s\n' "$row" 1<>"$dir/status.new" && mv "$dir/status.new" "$dir/status" && return
    mkdir -p "$dir" && echo "$$ $(container_id)" >"$dir/pid"
    echo "$row" >"$dir/status.new" && mv "$dir/status.new" "$dir/status"
}

print_log() {
    for file in "/proc/$(supervisor "$1" "$3")/fd/5" "$1/log" "$2"; do
        [ ! -r "$file" ] || { echo "$file"; return; }
    done
    echo "$2"
}

case ${1-${RUNPOD_DEPLOY_WORK-supervise}} in
    start) shift; start "$@" ;;
    stop) shift; stop_job "$@" ;;
    status) job_state "$2" "$3" ;;
    log) shift; print_log "$@" ;;
    supervise) supervise ;;
    background) watch_background ;;
    *) echo "job.sh: unknown command: $1" >&2; exit 2 ;;
esac
