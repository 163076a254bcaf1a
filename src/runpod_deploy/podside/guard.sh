#!/bin/sh
# The dead-man's switch of a pod: ends the job and releases the pod when nobody else does. It never exits.
# guard.sh DIR      DIR is the run's control folder, named by the run id, where job.sh keeps DIR/pid and DIR/status
#
# DIR/guard/terms is what it goes by, one "name value" a line: now, deadline (both in seconds since 1970), idle_s,
# started (how to release once a job was started: delete, stop or preserve), unstarted (how before that), api.
# It lies on disk in absolute times, so that a restarted container goes on counting. Without terms the first ones
# are made of the container's variables. DIR/guard/armed repeats the terms in force: the proof of life.
# DIR/guard/disarmed makes it idle. DIR/contact is touched by whoever works with the pod.
set -u
umask 077
dir=$1 g=$1/guard agent=runpod-deploy-guard/1
mkdir -p "$g" || g=$(mktemp -d)
echo $$ >"$g/pid"

note() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$g/log"; }
of_pid1() { tr '\0' '\n' </proc/1/environ 2>/dev/null | sed -n "s/^$1=//p" | head -n 1; }
term() { sed -n "s/^$1 //p" "$g/terms" | head -n 1; }
put() { echo "$2" >"$g/$1.new" && mv "$g/$1.new" "$g/$1"; }

# Time is that of the caller's clock at arming plus the machine's uptime: a clock that is set does not fool it.
tick() {
    read -r up _ </proc/uptime
    up=${up%%.*}
    now=$((base + up - base_up))
}
set_clock() {
    read -r base_up _ </proc/uptime
    base=$1 base_up=${base_up%%.*}
    put clock "$base $base_up $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
}
restore_clock() {
    base='' base_up=0 boot=''
    [ ! -e "$g/clock" ] || read -r base base_up boot <"$g/clock"
    read -r up _ </proc/uptime
    if [ -z "$base" ] || [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)" ] || [ "${up%%.*}" -lt "$base_up" ]
    then set_clock "$(date +%s)"; fi
}

# A pod that was stopped and started again finds its first deadline long past: somebody is about to arm it anew.
first_terms() {
    idle=$(of_pid1 RUNPOD_DEPLOY_IDLE_S) deadline=$(of_pid1 RUNPOD_DEPLOY_DEADLINE) unstarted=delete
    idle=${idle:-3600}
    [ "${deadline:-0}" -gt "$now" ] || { deadline=$((now + idle)) unstarted=stop; }
    put terms "deadline $deadline
idle_s $idle
started $(of_pid1 RUNPOD_DEPLOY_ON_FAILURE)
unstarted $unstarted"
}

take_terms() {
    told=$(term now)
    [ -z "$told" ] || [ "$(cat "$g/armed" 2>/dev/null)" = "$(cat "$g/terms")" ] || set_clock "$told"
    deadline=$(term deadline) idle=$(term idle_s) started=$(term started) unstarted=$(term unstarted)
    api=$(of_pid1 RUNPOD_API_BASE_URL)
    api=${api:-$(term api)}
    api=${api:-https://api.runpod.io}
    put armed "$(cat "$g/terms")"
    tried=0 pause=5
}

# Whether it is time; says why.
due() {
    if [ "$now" -ge "$deadline" ]; then why='the deadline has passed'
    elif [ -e "$dir/pid" ] && [ ! -e "$dir/status" ] && read -r job <"$dir/pid" && [ -d "/proc/$job" ]; then
        put seen "$now"; return 1
    else
        [ ! -e "$dir/contact" ] || { rm -f "$dir/contact"; put seen "$now"; }
        read -r seen <"$g/seen"
        why="nobody has come for $idle s"
        [ $((now - seen)) -ge "$idle" ]
    fi
}

release() {
    action=$unstarted
    if [ -e "$dir/pid" ]; then
        action=${started:-stop}
        for bin in "$dir"/bin-*; do sh "$bin/job.sh" stop "$dir" "${dir##*/}@" 10 >/dev/null 2>&1; done
    fi
    note "$why: $action"
    key=$(of_pid1 RUNPOD_API_KEY) id=$(of_pid1 RUNPOD_POD_ID)
    case $action in
        preserve) return ;;
        stop) try stop podStop stop ;;
        *) accepts DELETE "/v2/pods/$id" || try terminate podTerminate remove || try stop podStop stop ;;
    esac
}

try() {
    accepts POST "/v2/pods/$id/action" "{\"action\":\"$1\"}" ||
        { accepts POST /graphql "{\"query\":\"mutation{$2(input:{podId:\\\"$id\\\"})$([ "$2" != podStop ] || echo '{id}')}\"}" &&
            ! grep -q '"errors"' "$g/answer"; } ||
        { command -v runpodctl >/dev/null && timeout 60 runpodctl "$3" pod "$id" >/dev/null 2>&1 && note "runpodctl: $3"; }
}

accepts() {
    rm -f "$g/answer"
    code=$(call "$@" 2>/dev/null)
    note "$1 $2: ${code:-no answer}"
    case $code in 2* | 404 | 410) return 0 ;; *) return 1 ;; esac
}

# The key reaches its client through stdin, a file of mode 0600 or the environment: arguments are for all to see.
call() {
    if command -v curl >/dev/null; then
        printf 'header = "Authorization: Bearer %s"\n' "$key" | curl -sS -K - -m 30 -A "$agent" -o "$g/answer" \
            -w '%{http_code}' -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$api$2"
    elif wget --version 2>/dev/null | grep -q GNU; then
        printf 'header = Authorization: Bearer %s\n' "$key" >"$g/wgetrc"
        WGETRC=$g/wgetrc wget -nv -S -T 30 -t 1 -U "$agent" --content-on-error --method="$1" -O "$g/answer" \
            ${3:+--header='Content-Type: application/json' --body-data="$3"} "$api$2" 2>&1 |
            sed -n 's/^ *HTTP\/[0-9.]* \([0-9]*\).*/\1/p' | tail -n 1
    else
        KEY=$key python3 -c 'import os, sys, urllib.error, urllib.request as u
method, url, agent, answer, body = sys.argv[1:]
head = {"Authorization": "Bearer " + os.environ["KEY"], "User-Agent": agent, "Content-Type": "application/json"}
try: r = u.urlopen(u.Request(url, body.encode() or None, head, method=method), timeout=30)
except urllib.error.HTTPError as error: r = error
print(r.status); open(answer, "wb").write(r.read())' "$1" "$api$2" "$agent" "$g/answer" "${3-}"
    fi
}

restore_clock
tick
[ -e "$g/terms" ] || first_terms
[ -e "$g/seen" ] || put seen "$now"
take_terms
while :; do
    tick
    [ "$(cat "$g/terms")" = "$(cat "$g/armed")" ] || { take_terms; tick; }
    if [ ! -e "$g/disarmed" ] && [ "$up" -ge "$tried" ] && due; then
        release
        tried=$((up + pause)) pause=$((pause < 150 ? pause * 2 : 300))
    fi
    sleep 1
done
