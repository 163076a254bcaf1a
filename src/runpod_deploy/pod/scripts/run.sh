#!/bin/sh
# Runs one command in a session of its own and ends it with the connection.
# sh -c THIS run TIMEOUT_S COMMAND_BYTES STDIN_BYTES CONTACT_FILE ENV_TEXT
# On stdin: the command's text, its input, and then nothing until the caller closes it. The end of stdin while the
# command runs means that the caller is gone. CONTACT_FILE is touched while the caller is connected.
exec 3<&0
text=$(dd bs=1 count="$2" <&3 2>/dev/null; echo .)
text=${text%.}
[ "$(printf %s "$text" | wc -c)" -eq "$2" ] || exit 125

job='' timer=''
# shellcheck disable=SC2317,SC2329 # called by the trap
end_job() {
    trap '' TERM
    [ -n "$job" ] || exit 124
    kill -TERM "-$job" 2>/dev/null
    n=0
    while [ "$n" -lt 20 ] && kill -0 "-$job" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done
    kill -KILL "-$job" 2>/dev/null
    kill -KILL "-$timer" 2>/dev/null
    exit 124
}
trap end_job TERM

if command -v bash >/dev/null; then
    # shellcheck disable=SC2016 # for bash to expand
    set -- "$1" "$3" "$4" bash -c 'eval "$1"; text=$2; shift 2; eval "$text"' bash "$5" "$text"
else
    set -- "$1" "$3" "$4" sh -c "$text"
fi
timeout_s=$1 stdin_bytes=$2 contact=$3
shift 3
pipe=$(mktemp -u) && mkfifo -m 600 "$pipe" || exit 125
{
    exec >"$pipe"
    rm -f "$pipe"
    head -c "$stdin_bytes" <&3
    exec >/dev/null
    cat <&3
    kill -TERM $$
} 2>/dev/null &
feeder=$!
setsid "$@" <"$pipe" 3<&- &
job=$!
# shellcheck disable=SC2016 # for sh to expand
setsid sh -c 'left=$1
while [ "$left" -gt 0 ]; do
    [ ! -d "${2%/*}" ] || : >"$2"
    pause=30; [ "$left" -gt 30 ] || pause=$left
    sleep "$pause"; left=$((left - pause))
done
kill -TERM "$3"' timer "$timeout_s" "$contact" $$ </dev/null >/dev/null 2>&1 3<&- &
timer=$!
exec 3<&- </dev/null
wait "$job"
code=$?
trap '' TERM
kill -KILL "$feeder" 2>/dev/null
kill -KILL "-$timer" 2>/dev/null
exit "$code"
