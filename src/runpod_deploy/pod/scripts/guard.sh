#!/bin/sh
# The dead-man's switch of a pod: ends the job and releases the pod when nobody else does. It never exits.
# guard.sh DIR      DIR is the run's control folder, named by the run id, where job.sh keeps DIR/pid and DIR/status
# DIR/guard/terms is what it goes by, one "name value" a line: now, deadline (both in seconds since 1970), idle_s,
# started (how to release once a job was started: delete, stop or preserve), unstarted (how before that), api.
# They outlive a restart; the first ones are made of the container's variables. DIR/guard/armed repeats those in force
# and DIR/guard/proof says that the API answers to the pod's key: the proof of life. DIR/guard/disarmed makes it idle,
# DIR/guard/rest says that the pod is to be stopped, so that its next start is meant; work touches DIR/contact.
set -u && umask 077
dir=$1 g=$1/guard mark=${1##*/}@ agent=runpod-deploy-guard/1 boot_id=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
mkdir -p "$g" || g=$(mktemp -d); echo $$ >"$g/pid"; rm -f "$g/proof"
note() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$g/log"; }
of() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n "s/^RUNPOD_$2=//p" | head -n 1; }
term() { sed -n "s/^$1 //p" "$g/terms" | head -n 1; }
put() { echo "$2" >"$g/$1.new" && mv "$g/$1.new" "$g/$1"; }
uptime_s() { read -r up _ </proc/uptime && up=${up%%.*}; }

# Time is the caller's clock at arming plus what the machine was up since: a clock that is set does not fool it.
set_clock() { uptime_s && base=$1 base_up=$up && put clock "$base $base_up $boot_id"; }
tick() { uptime_s && now=$((base + up - base_up)); }
restore_clock() {
    base='' base_up=0 boot='' && uptime_s
    [ ! -e "$g/clock" ] || read -r base base_up boot <"$g/clock"
    [ -n "$base" ] && [ "$boot" = "$boot_id" ] && [ "$up" -ge "$base_up" ] || set_clock "$(date +%s)"
}

# Who starts a stopped pod again wants something of it: it is his for a day, as long as he is there.
first_terms() {
    deadline=$(of 1 DEPLOY_DEADLINE) idle=$(of 1 DEPLOY_IDLE_S) started=$(of 1 DEPLOY_ON_FAILURE) unstarted=delete
    [ ! -e "$g/rest" ] && [ "${deadline:-0}" -gt "$now" ] || deadline=$((now + 86400)) started=stop unstarted=stop
    put terms "$(printf '%s %s\n' deadline "$deadline" idle_s "${idle:-3600}" started "$started" unstarted $unstarted)"
    put seen "$now" && rm -f "$g/rest"
}

take_terms() {
    in_force=$(cat "$g/terms") told=$(term now)
    [ -z "$told" ] || [ "$(cat "$g/armed" 2>/dev/null)" = "$in_force" ] ||
        { set_clock "$told" && tick && put seen "$now"; }
    deadline=$(term deadline) idle=$(term idle_s) started=$(term started) unstarted=$(term unstarted)
    api=$(of 1 API_BASE_URL) told=$(term api) key=$(of 1 API_KEY) id=$(of 1 POD_ID)
    api=${api:-${told:-https://api.runpod.io}} tried=0 pause=5
    command -v curl >/dev/null || printf 'header = Authorization: Bearer %s\n' "$key" >"$g/wgetrc"
    put armed "$in_force"
}

due() {
    why='the deadline has passed'
    [ "$now" -lt "$deadline" ] || return 0
    [ ! -e "$dir/contact" ] || { rm -f "$dir/contact" && put seen "$now"; }
    read -r seen <"$g/seen" || seen=$now
    if [ ! -e "$dir/status" ] && read -r job <"$dir/pid" && [ "$(of "$job" DEPLOY_JOB)" = "$mark" ]; then
        [ $(((now - seen) * 10)) -lt "$idle" ] || put seen "$now"
        return 1
    fi
    why="no job runs and nobody has come for $idle s"
    [ $((now - seen)) -ge "$idle" ] && ! grep -qs '^sshd[^:]*: .*@pts/' /proc/[0-9]*/cmdline
}

release() {
    action=$unstarted
    if [ -e "$dir/pid" ]; then
        action=${started:-stop}
        for bin in "$dir"/bin-*; do sh "$bin/job.sh" stop "$dir" "$mark" 10 >/dev/null 2>&1; done
    fi
    note "$why: $action"
    case $action in
        preserve) ;;
        stop) stop ;;
        *) accepts DELETE "/v2/pods/$id" || asks terminate podTerminate '' remove || stop ;;
    esac
}
stop() { asks stop podStop '{id}' stop && : >"$g/rest"; }

asks() { # VERB MUTATION FIELDS OLD_VERB
    accepts POST "/v2/pods/$id/action" "{\"action\":\"$1\"}" && return
    accepts POST /graphql "{\"query\":\"mutation{$2(input:{podId:\\\"$id\\\"})$3}\"}" &&
        ! grep -q '"errors"' "$g/answer" && return
    command -v runpodctl >/dev/null && timeout 60 runpodctl "$4" pod "$id" >/dev/null 2>&1 && note "runpodctl $4"
}

accepts() {
    rm -f "$g/answer"
    code=$(call "$@" 2>/dev/null)
    note "$1 $2: ${code:-no answer}"
    case $code in 2* | 404 | 410) ;; *) return 1 ;; esac
}

prove() { if accepts GET "/v2/pods/$id"; then : >"$g/proof"; else tried=$((up + 5)); fi; }

# The key reaches its client through stdin, a file of mode 0600 or the environment: arguments are for all to see.
call() {
    type='Content-Type: application/json' auth="Authorization: Bearer $key"
    if command -v curl >/dev/null; then
        printf 'header = "%s"\n' "$auth" | curl -sS -K - -m 30 -A "$agent" -o "$g/answer" -w '%{http_code}' \
            -X "$1" ${3:+-H "$type" -d "$3"} "$api$2"
    elif wget --version 2>/dev/null | grep -q GNU; then
        WGETRC=$g/wgetrc wget -nv -S -T 30 -t 1 -U "$agent" --content-on-error --method="$1" -O "$g/answer" \
            ${3:+--header="$type" --body-data="$3"} "$api$2" 2>&1 | sed -n 's/^ *HTTP[^ ]* \([0-9]*\).*/\1/p' | tail -n 1
    else
        AUTH=$auth python3 -c 'import os, sys, urllib.error, urllib.request as u
method, url, agent, answer, type, body = sys.argv[1:]
head = dict(h.split(": ", 1) for h in (os.environ["AUTH"], "User-Agent: " + agent, type))
try: r = u.urlopen(u.Request(url, body.encode() or None, head, method=method), timeout=30)
except urllib.error.HTTPError as error: r = error
print(r.status), open(answer, "wb").write(r.read())' "$1" "$api$2" "$agent" "$g/answer" "$type" "${3-}"
    fi
}

restore_clock; tick
[ -e "$g/terms" ] && [ ! -e "$g/rest" ] || first_terms
take_terms
while :; do
    tick
    [ "$(cat "$g/terms")" = "$in_force" ] || { take_terms; tick; }
    [ -e "$g/proof" ] || [ "$up" -lt "$tried" ] || prove
    if [ ! -e "$g/disarmed" ] && [ "$up" -ge "$tried" ] && due; then
        release; tried=$((up + pause)) pause=$((pause < 150 ? pause * 2 : 300))
    fi
    sleep 1
done
