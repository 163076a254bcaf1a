# Follows the job of a run: its log from any byte, samples, what happens to the tool's own parts, and the job's end.
# F=TEXT D=DIR L=LOG TAG=TAG OFFSET=BYTES EVERY=SAMPLE_S DISK=PATH SAMPLE=TEXT sh -c 'eval "$F"' follow.sh
#
# Frames on stdout: "L <n>\n" and n bytes of the log; "S <n>\n" and n bytes of JSON; "N <n>\n" and n bytes, a notice: a
# word and more lines; "E <code> <how>\n" with code "-" if the job vanished without one, and how "exited", "stopped",
# "background" (it left processes that must not be) or "preamble" (it ended before its body); "K\n" each second, so
# that SIGPIPE ends a follower that has no reader.
# Notices: "guard" (it is gone, or was started anew), "folder" (the control folder is gone), "truncated" (the log was
# emptied, and goes on at its first byte), "left" and "idle" (with the files of background.sh).
set -u; umask 077; cd /
FRAME_BYTES=16777216
dir=$D log=$L tag=$TAG offset=$OFFSET every=$EVERY disk=$DISK
opened='' sample_at=0 alive_at=0 guard='' guard_lost=0 left_sent='' idle_sent='' folder=yes
sample=$(mktemp -u /tmp/runpod-deploy-sample.XXXXXX) || sample=/tmp/runpod-deploy-sample.$$
trap 'rm -f "$sample" "$sample.new"' EXIT
trap 'exit 141' PIPE TERM HUP

say() { printf '%s\n' "$*" || exit 141; }

notice() { # WORD [FILE]
    text=$(printf '%s\n' "$1"; [ $# -lt 2 ] || head -c 4000 "$2")
    say "N $(printf %s "$text" | wc -c)"
    printf %s "$text" || exit 141
}

# Runs five times a second, so it starts no process.
still_running() { [ ! -e "$dir/status" ] && runs "$pid"; }

look_at_job() {
    state=$(job_state "$dir" "$tag")
    pid=${state#* }
}

send_log() {
    sent=0
    [ -n "$opened" ] || open_log || return 0
    size=$(stat -L -c %s /proc/self/fd/4 2>/dev/null || echo 0)
    if [ "$size" -lt "$offset" ]; then
        notice truncated
        offset=0
        exec 4<"/proc/$$/fd/4"
    fi
    sent=$((size - offset))
    [ "$sent" -gt 0 ] || { sent=0; return; }
    [ "$sent" -le "$FRAME_BYTES" ] || sent=$FRAME_BYTES
    say "L $sent"
    if [ "$exact" = yes ]; then head -c "$sent" <&4; else dd bs="$sent" count=1 <&4 2>/dev/null; fi || exit 141
    offset=$((offset + sent))
}

# The supervisor's open file is the log, wherever its path leads by now; DIR/log is a copy of a log without a path.
open_log() {
    for file in "/proc/${pid:-none}/fd/5" "$dir/log" "$log"; do
        [ -r "$file" ] || continue
        exec 4<"$file"
        dd bs=1 skip="$offset" count=0 <&4 2>/dev/null
        opened=yes
        return 0
    done
    return 1
}

send_sample() {
    if [ -e "$sample" ]; then
        say "S $(($(wc -c <"$sample")))"
        cat "$sample" && rm -f "$sample"
    fi
    [ "$every" -gt 0 ] && [ "$now" -ge "$sample_at" ] || return 0
    sample_at=$((now + every))
    (sh -c "$SAMPLE" sample "$disk" >"$sample.new" && mv "$sample.new" "$sample") </dev/null >/dev/null 2>&1 4<&- &
}

send_lists() {
    [ -n "$left_sent" ] || [ ! -e "$dir/left" ] || { left_sent=yes; notice left "$dir/left"; }
    [ -n "$idle_sent" ] || [ ! -e "$dir/idle" ] || { idle_sent=yes; notice idle "$dir/idle"; }
}

# The guard writes the file of a running job anew when the job has removed it.
is_intact() { case $state in running*) [ "$dir/pid" -ef "$dir/pid.$pid" ] ;; *) [ -e "$dir/pid" ] ;; esac; }

# Once a second.
send_notices() {
    send_lists
    if is_intact; then folder=yes; elif [ -n "$folder" ]; then folder=''; notice folder; fi
    [ ! -e "$dir" ] || true >"$dir/contact" 2>/dev/null
    look_at_guard
}

# Its keeper has three seconds to start it again.
look_at_guard() {
    if [ -n "$guard" ] && runs "$guard"; then guard_lost=0; return; fi
    before=$guard guard=''
    read -r guard <"$dir/guard/pid" && is_guard "$guard" || guard=$(with_variable "ROLE=guard $tag" | head -n 1)
    if [ -n "$guard" ]; then
        [ -z "$before" ] || notice guard
        guard_lost=0
    else
        guard_lost=$((guard_lost + 1))
        [ $((guard_lost % 30)) -ne 3 ] || notice guard
    fi
} 2>/dev/null
is_guard() { runs "$1" && has_variable "$1" "ROLE=guard $tag"; }

# GNU head reads exactly that many bytes; the head of busybox reads ahead, but its dd does not.
head --version >/dev/null 2>&1 && exact=yes || exact=no
pid='' how=exited
look_at_job
while :; do
    read -r now _ </proc/uptime; now=${now%%.*}
    case $state in running*) still_running || look_at_job ;; esac
    if [ "$now" -ge "$alive_at" ]; then
        say K; alive_at=$((now + 1))
        case $state in orphaned*) look_at_job ;; esac
        send_notices
    fi
    send_sample
    send_log
    [ "$sent" -eq 0 ] || continue
    case $state in running* | orphaned*) sleep 0.2; continue ;; esac
    send_lists
    [ ! -e "$dir/status" ] || read -r _ _ how <"$dir/status"
    [ ! -e "$dir/stopped" ] || how=stopped
    case $state in
        ended*) say "E ${state#ended } ${how:-exited}" ;;
        killed) say "E 137 ${how:-exited}" ;;
        *) say "E - ${how:-exited}" ;;
    esac
    exit
done
