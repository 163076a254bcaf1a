#!/bin/sh
# The dead-man's switch of a pod: stops the job and releases the pod when nobody else does. It never exits.
# guard.sh DIR      DIR is the run's control folder, named by the run id, where job.sh keeps DIR/pid and DIR/status
# DIR/guard/terms has one "name value" a line: now, deadline (both in seconds since 1970), idle_s, started (how to
# release once a job was started: delete, stop or preserve), unstarted (how to release before that), api.
# They outlive a restart; the first ones are made of the container's variables. DIR/guard/armed is a copy of the terms in
# force; DIR/guard/proof exists once the API has accepted the pod's key. While DIR/guard/disarmed exists, nothing is done.
# DIR/guard/rest means that the pod is being stopped: its next start is on purpose. A client at work touches DIR/contact.
set -u && umask 077
dir=$1 g=$1/guard tag=${1##*/}@ agent=runpod-deploy-guard/1 boot_id=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
mkdir -p "$g" || g=$(mktemp -d); echo $$ >"$g/pid"; rm -f "$g/proof"
note() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$g/log"; }
env_of() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n "s/^RUNPOD_$2=//p" | head -n 1; }
term() { sed -n "s/^$1 //p" "$g/terms" | head -n 1; }
save() { echo "$2" >"$g/$1.new" && mv "$g/$1.new" "$g/$1"; }
uptime_s() { read -r up _ </proc/uptime && up=${up%%.*}; }

# The time is the caller's clock at arming plus the uptime since then, so that changes of the pod's clock do not matter.
set_clock() { uptime_s && base=$1 base_up=$up && save clock "$base $base_up $boot_id"; }
tick() { uptime_s && now=$((base + up - base_up)); }
restore_clock() {
    base='' base_up=0 boot='' && uptime_s
    [ ! -e "$g/clock" ] || read -r base base_up boot <"$g/clock"
    [ -n "$base" ] && [ "$boot" = "$boot_id" ] && [ "$up" -ge "$base_up" ] || set_clock "$(date +%s)"
}

# A person who starts a stopped pod again has a use for it: it stays for a day, while somebody is connected.
first_terms() {
    deadline=$(env_of 1 DEPLOY_DEADLINE) idle=$(env_of 1 DEPLOY_IDLE_S)
    started=$(env_of 1 DEPLOY_ON_FAILURE) unstarted=delete
    [ ! -e "$g/rest" ] && [ "${deadline:-0}" -gt "$now" ] || deadline=$((now + 86400)) started=stop unstarted=stop
    save terms "$(printf '%s %s\n' deadline "$deadline" idle_s "${idle:-3600}" started "$started" unstarted $unstarted)"
    save seen "$now" && rm -f "$g/rest"
}

take_terms() {
    in_force=$(cat "$g/terms") given=$(term now)
    [ -z "$given" ] || [ "$(cat "$g/armed" 2>/dev/null)" = "$in_force" ] ||
        { set_clock "$given" && tick && save seen "$now"; }
    deadline=$(term deadline) idle=$(term idle_s) started=$(term started) unstarted=$(term unstarted)
    api=$(env_of 1 API_BASE_URL) given=$(term api) key=$(env_of 1 API_KEY) id=$(env_of 1 POD_ID)
    api=${api:-${given:-https://api.runpod.io}} tried=0 pause=5
    command -v curl >/dev/null || printf 'header = Authorization: Bearer %s\n' "$key" >"$g/wgetrc"
    save armed "$in_force"
}

due() {
    why='the deadline has passed'; [ "$now" -lt "$deadline" ] || return 0
    [ ! -e "$dir/contact" ] || { rm -f "$dir/contact" && save seen "$now"; }
    read -r seen <"$g/seen" || seen=$now
    if [ ! -e "$dir/status" ] && read -r job <"$dir/pid" && [ "$(env_of "$job" DEPLOY_JOB)" = "$tag" ]; then
        [ $(((now - seen) * 10)) -lt "$idle" ] || save seen "$now"
        return 1
    fi
    why="no job runs and nobody has come for $idle s"
    [ $((now - seen)) -ge "$idle" ] && ! grep -qs '^sshd[^:]*: .*@pts/' /proc/[0-9]*/cmdline
}

release() {
    action=$unstarted
    if [ -e "$dir/pid" ]; then
        action=${started:-stop}
        for bin in "$dir"/bin-*; do sh "$bin/job.sh" stop "$dir" "$tag" 10 >/dev/null 2>&1; done
    fi
    note "$why: $action"
    case $action in
        preserve) ;;
        stop) stop ;;
        *) request DELETE "/v2/pods/$id" || request_action terminate podTerminate '' remove || stop ;;
    esac
}
stop() { request_action stop podStop '{id}' stop && : >"$g/rest"; }

request_action() { # VERB MUTATION FIELDS OLD_VERB
    request POST "/v2/pods/$id/action" "{\"action\":\"$1\"}" && return
    request POST /graphql "{\"query\":\"mutation{$2(input:{podId:\\\"$id\\\"})$3}\"}" &&
        ! grep -q '"errors"' "$g/answer" && return
    command -v runpodctl >/dev/null && timeout 60 runpodctl "$4" pod "$id" >/dev/null 2>&1 && note "runpodctl $4"
}

request() {
    rm -f "$g/answer"
    code=$(call "$@" 2>/dev/null)
    note "$1 $2: ${code:-no answer}"
    case $code in 2* | 404 | 410) ;; *) return 1 ;; esac
}

prove() { if request GET "/v2/pods/$id"; then : >"$g/proof"; else tried=$((up + 5)); fi; }

# The key goes to the client through stdin, a file of mode 0600 or the environment: every user can see arguments.
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
