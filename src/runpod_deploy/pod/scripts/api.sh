# The API as the guard on a pod calls it: the ways to look at its own pod and to release it. Part of guard.sh.
# Uses api, key and id; note() is the guard's log. $g/answer holds the last answer.

request() { # METHOD PATH [BODY]
    rm -f "$g/answer"
    code=$(call "$@" 2>/dev/null)
    note "$1 $2: ${code:-no answer}"
    case $code in 2* | 404 | 410) ;; *) return 1 ;; esac
}

request_action() { # VERB MUTATION FIELDS OLD_VERB
    request POST "/v2/pods/$id/action" "{\"action\":\"$1\"}" && return
    request POST /graphql "{\"query\":\"mutation{$2(input:{podId:\\\"$id\\\"})$3}\"}" &&
        ! grep -q '"errors"' "$g/answer" && return
    command -v runpodctl >/dev/null && $limit runpodctl "$4" pod "$id" >/dev/null 2>&1 && note "runpodctl $4"
}

# No answer may take for ever. The guard ignores TERM, and its children inherit that.
limit='timeout -s KILL 60'
command -v timeout >/dev/null || limit=''

# The key goes to the client through stdin or the environment: every user can see arguments, and files outlive a pod.
# GNU wget reads its header from a file only: that file is in memory, and only while the call lasts.
call() {
    type='Content-Type: application/json' auth="Authorization: Bearer $key"
    if command -v curl >/dev/null; then
        printf 'header = "%s"\n' "$auth" | curl -sS -K - -m 30 -A "$agent" -o "$g/answer" -w '%{http_code}' \
            -X "$1" ${3:+-H "$type" -d "$3"} "$api$2"
    elif command -v python3 >/dev/null; then
        AUTH=$auth $limit python3 -c "$python_client" "$1" "$api$2" "$agent" "$g/answer" "$type" "${3-}"
    elif wget --version 2>/dev/null | grep -q GNU; then
        rc=$(mktemp -p /dev/shm 2>/dev/null || mktemp) && printf 'header = %s\n' "$auth" >"$rc"
        WGETRC=$rc $limit wget -nv -S -T 30 -t 1 --max-redirect=0 -U "$agent" --content-on-error --method="$1" \
            -O "$g/answer" ${3:+--header="$type" --body-data="$3"} "$api$2" 2>&1 |
            sed -n 's/^ *HTTP[^ ]* \([0-9]*\).*/\1/p' | tail -n 1
        rm -f "$rc"
    fi
}

python_client='import os, sys, urllib.error, urllib.request as u
method, url, agent, answer, type, body = sys.argv[1:]
class Still(u.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
head = dict(h.split(": ", 1) for h in (os.environ["AUTH"], "User-Agent: " + agent, type))
request = u.Request(url, body.encode() or None, head, method=method)
try: r = u.build_opener(Still).open(request, timeout=30)
except urllib.error.HTTPError as error: r = error
print(r.status), open(answer, "wb").write(r.read(1 << 20))'
