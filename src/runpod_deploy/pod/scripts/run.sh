# Runs one command in a session of its own, and ends it with the connection. Output is passed on as it comes.
# This text comes first on stdin, after assignments of: T (timeout in seconds), N (bytes of the command's text), I (bytes
# of its input), C (a file to touch while the caller is connected) and E (env.bash). Then stdin has the command's text,
# its input, and nothing until the caller closes it. The end of stdin while the command runs means that the caller is
# gone. The text travels in no argument: a command that kills by name would kill itself.
exec 3<&0
text=$(dd bs=1 count="$N" <&3 2>/dev/null; echo .)
text=${text%.}
[ "$(printf %s "$text" | wc -c)" -eq "$N" ] || exit 125

job='' timer='' out='' err=''
# shellcheck disable=SC2317,SC2329 # called by the trap
end_job() {
    trap '' TERM
    [ -n "$job" ] || exit 124
    kill -TERM "-$job" 2>/dev/null
    n=0
    while [ "$n" -lt 20 ] && kill -0 "-$job" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done
    kill -KILL "-$job" 2>/dev/null
    kill -KILL "-$timer" "$out" "$err" 2>/dev/null
    exit 124
}
pipes=$(mktemp -d) && mkfifo -m 600 "$pipes/in" "$pipes/out" "$pipes/err" || exit 125
trap 'rm -rf "$pipes"' EXIT
trap end_job TERM

# shellcheck disable=SC2016 # for the command's shell to expand
if command -v bash >/dev/null; then
    set -- bash -c 'e=$RUNPOD_DEPLOY_ENV t=$RUNPOD_DEPLOY_TEXT; unset RUNPOD_DEPLOY_ENV RUNPOD_DEPLOY_TEXT
        eval "$e"; unset e; eval "$t"'
else
    set -- sh -c 't=$RUNPOD_DEPLOY_TEXT; unset RUNPOD_DEPLOY_TEXT RUNPOD_DEPLOY_ENV; eval "$t"'
fi
{
    exec >"$pipes/in"
    head -c "$I" <&3
    exec >/dev/null
    cat <&3
    kill -TERM $$
} 2>/dev/null &
feeder=$!
cat <"$pipes/out" 3<&- &
out=$!
cat <"$pipes/err" >&2 3<&- &
err=$!
RUNPOD_DEPLOY_COMMAND=$$ RUNPOD_DEPLOY_ENV=$E RUNPOD_DEPLOY_TEXT=$text setsid "$@" <"$pipes/in" >"$pipes/out" 2>"$pipes/err" 3<&- &
job=$!
# shellcheck disable=SC2016 # for sh to expand
LEFT=$T CONTACT=$C CALLER=$$ setsid sh -c '
while [ "$LEFT" -gt 0 ]; do
    [ ! -d "${CONTACT%/*}" ] || true >"$CONTACT"
    pause=30; [ "$LEFT" -gt 30 ] || pause=$LEFT
    sleep "$pause"; LEFT=$((LEFT - pause))
done
kill -TERM "$CALLER"' </dev/null >/dev/null 2>&1 3<&- &
timer=$!
exec 3<&- </dev/null
wait "$job"
code=$?
trap '' TERM
kill -KILL "$feeder" 2>/dev/null
kill -KILL "-$timer" 2>/dev/null

# The command is over when its own process is. What it has left running may keep the pipes open for ever: after half a
# second it writes to nobody. The open file 7 is only there so that no open waits for a writer that is gone.
{
    sleep 0.5
    for pipe in out err; do
        exec 7<>"$pipes/$pipe"
        setsid cat <"$pipes/$pipe" 7<&- &
    done
    sleep 0.1
    kill -KILL "$out" "$err"
} </dev/null >/dev/null 2>&1 &
late=$!
exec 2>/dev/null
wait "$out"
wait "$err"
kill -KILL "$late" 2>/dev/null
exit "$code"
