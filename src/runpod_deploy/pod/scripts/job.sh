#!/bin/sh
# The job of a run on its pod: started once, followed from any byte of its log, stopped with all of its processes.
# job.sh start  DIR LOG SCRIPT TAG BYTES            script on stdin; prints the job's pid
# job.sh follow DIR LOG TAG OFFSET SAMPLE_S DISK   frames on stdout, see below
# job.sh stop   DIR TAG GRACE_S
# job.sh status DIR TAG                             none | running PID | ended CODE | lost
#
# DIR/pid decides who runs the job: whoever creates it first. DIR/status is the end of the job, its exit code and time.
# It is renamed into place from a file that was allocated at the start, since the job may have filled the disk.
# TAG is in the environment of every process of the job, so that those that left its session are found too.
#
# DIR/stopped means that somebody stopped the job. It is made before the first signal, if there is no status yet.
#
# Frames: "L <n>\n" and n bytes of the log; "S <n>\n" and n bytes of JSON; "E <code> <how>\n" with code "-" if the
# job vanished without one, and how "exited" or "stopped"; "K\n" each second, so that SIGPIPE ends a follower that has
# no reader.
set -u
here=${0%/*}
FRAME_BYTES=16777216
umask 022

say() { printf '%s\n' "$*" || exit 141; }

has_tag() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qxF "RUNPOD_DEPLOY_JOB=$2"; }

# Succeeds if the process runs and is no zombie: PID 1 of a container often reaps no children.
runs() { read -r _ _ letter _ <"/proc/$1/stat" && [ "$letter" != Z ]; } 2>/dev/null

job_state() {
    if [ -e "$1/status" ]; then read -r code _ <"$1/status" && echo "ended $code"
    elif [ ! -e "$1/pid" ]; then echo none
    elif read -r pid <"$1/pid" && runs "$pid" && has_tag "$pid" "$2"; then echo "running $pid"
    elif [ -e "$1/status" ]; then read -r code _ <"$1/status" && echo "ended $code"
    else echo lost
    fi
}

start() {
    dir=$1 log=$2 script=$3 tag=$4 bytes=$5
    mkdir -p "$dir" "${log%/*}/" "${script%/*}/" || exit 1
    if [ ! -e "$dir/pid" ]; then
        cat >"$dir/script.$$" || exit 1
        if [ "$(wc -c <"$dir/script.$$")" -ne "$bytes" ]; then
            rm -f "$dir/script.$$"; echo 'the script did not arrive whole' >&2; exit 1
        fi
        RUNPOD_DEPLOY_JOB=$tag setsid sh "$0" supervise "$dir" "$log" "$script" "$dir/script.$$" \
            </dev/null >/dev/null 2>"$dir/start_errors" &
        n=0
        while [ ! -e "$dir/pid" ] && [ "$n" -lt 100 ]; do n=$((n + 1)); sleep 0.1; done
    fi
    cat "$dir/pid" && return
    cat "$dir/start_errors" >&2; exit 1
}

supervise() {
    dir=$1 log=$2 script=$3 fresh=$4
    echo $$ >"$dir/pid.$$"
    if ! ln "$dir/pid.$$" "$dir/pid"; then rm -f "$dir/pid.$$" "$fresh"; exit 0; fi
    rm -f "$dir/pid.$$"
    trap : TERM HUP INT
    printf '%64s\n' '' >"$dir/status.new"
    : >"$log"
    if mv "$fresh" "$script"; then run_script "$script" >>"$log" 2>&1; else false; fi
    code=$?
    printf '%s %s\n' "$code" "$(date +%s)" 1<>"$dir/status.new" && mv "$dir/status.new" "$dir/status"
}

run_script() { bash -c '. "$1"; exec bash "$0"' "$1" "$here/env.bash"; }

follow() {
    dir=$1 log=$2 tag=$3 offset=$4 every=$5 disk=$6
    opened='' sample_at=0 alive_at=0 sample=$dir/sample.$$
    trap 'rm -f "$sample" "$sample.new"' EXIT
    trap 'exit 141' PIPE TERM HUP
    # GNU head reads exactly that many bytes; the head of busybox reads ahead, but its dd does not.
    head --version >/dev/null 2>&1 && exact=yes || exact=no
    state=$(job_state "$dir" "$tag")
    while :; do
        read -r now _ </proc/uptime; now=${now%%.*}
        case $state in running*) still_running || state=$(job_state "$dir" "$tag") ;; esac
        [ "$now" -lt "$alive_at" ] || { say K; alive_at=$((now + 1)); }
        send_sample
        send_log
        [ "$sent" -eq 0 ] || continue
        case $state in
            ended*) say "E ${state#ended } $(how)"; return ;;
            lost | none) say "E - $(how)"; return ;;
        esac
        sleep 0.2
    done
}

how() { if [ -e "$dir/stopped" ]; then echo stopped; else echo exited; fi; }

# Runs five times a second, so it starts no process.
still_running() { [ ! -e "$dir/status" ] && runs "${state#running }"; }

send_log() {
    sent=0
    if [ -z "$opened" ]; then
        [ -e "$log" ] || return 0
        exec 4<"$log"
        dd bs=1 skip="$offset" count=0 <&4 2>/dev/null
        opened=yes
    fi
    sent=$(($(stat -L -c %s "$log" 2>/dev/null || echo 0) - offset))
    [ "$sent" -gt 0 ] || { sent=0; return; }
    [ "$sent" -le "$FRAME_BYTES" ] || sent=$FRAME_BYTES
    say "L $sent"
    if [ "$exact" = yes ]; then head -c "$sent" <&4; else dd bs="$sent" count=1 <&4 2>/dev/null; fi || exit 141
    offset=$((offset + sent))
}

send_sample() {
    if [ -e "$sample" ]; then
        say "S $(($(wc -c <"$sample")))"
        cat "$sample" && rm -f "$sample"
    fi
    [ "$every" -gt 0 ] && [ "$now" -ge "$sample_at" ] || return 0
    sample_at=$((now + every))
    (sh "$here/sample.sh" "$disk" >"$sample.new" && mv "$sample.new" "$sample") </dev/null >/dev/null 2>&1 4<&- &
}

# GNU grep searches beyond the first NUL of a file; the grep of busybox does not.
tagged() {
    if grep --version >/dev/null 2>&1; then grep -lsF "RUNPOD_DEPLOY_JOB=$1" /proc/[0-9]*/environ | cut -d/ -f3
    else for p in /proc/[0-9]*; do ! has_tag "${p#/proc/}" "$1" || echo "${p#/proc/}"; done
    fi
}

# The processes that have the tag or belong to the job's session, except its supervisor and this process.
members() {
    {
        tagged "$1"
        ! has_tag "$2" "$1" || sed -n "s/^\([0-9]*\) (.*) [^Z] [0-9]* [0-9]* $2 .*/\1/p" /proc/[0-9]*/stat
    } 2>/dev/null | sort -u | awk -v supervisor="$2" -v self=$$ '$1 != supervisor && $1 != self'
}

stop() {
    dir=$1 tag=$2 grace=$3
    [ -e "$dir/pid" ] || return 0
    read -r pid <"$dir/pid"
    [ -e "$dir/status" ] || : >"$dir/stopped"
    members "$tag" "$pid" | xargs kill -TERM 2>/dev/null
    members "$tag" "$pid" | xargs kill -CONT 2>/dev/null
    read -r now _ </proc/uptime
    end=$((${now%%.*} + grace))
    while [ "$grace" -gt 0 ] && [ "${now%%.*}" -le "$end" ] && [ -n "$(members "$tag" "$pid")" ]; do
        sleep 0.1
        read -r now _ </proc/uptime
    done
    n=50
    while [ "$n" -gt 0 ] && [ -n "$(members "$tag" "$pid")" ]; do
        members "$tag" "$pid" | xargs kill -KILL 2>/dev/null
        n=$((n - 1)); sleep 0.1
    done
    n=20
    while [ "$n" -gt 0 ] && [ "$(job_state "$dir" "$tag")" = "running $pid" ]; do n=$((n - 1)); sleep 0.1; done
    [ -z "$(members "$tag" "$pid")" ]
}

case $1 in
    start | supervise | follow | stop) "$@" ;;
    status) job_state "$2" "$3" ;;
    *) echo "job.sh: unknown command: $1" >&2; exit 2 ;;
esac
