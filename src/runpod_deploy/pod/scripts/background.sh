# What a job leaves running when its script has ended with status 0. Part of job.sh.
#
# It is a part of the job while it works: the processor, the GPU or the log show that. Processes that have been idle for
# IDLE_S seconds are ended. DIR/left lists the processes when the script had ended, DIR/idle those that were ended.

# This watches as a process of its own, without the job's tag, so that it does not count itself and its tools.
await_background() {
    (
        unset RUNPOD_DEPLOY_JOB
        exec 6>&-
        export RUNPOD_DEPLOY_WORK=background J="$text" D="$dir" TAG="$tag" SUPERVISOR=$$ BACKGROUND="$background" MARKER="$marker" \
            IDLE_S="$idle_s"
        exec setsid sh -c 'eval "$J"' job.sh >/dev/null 2>&1
    )
    [ $? -ne 3 ] || how=background
}

# Exits with 3 if processes were left and must not be.
watch_background() {
    n=10
    while [ -n "$(members "$TAG" "$SUPERVISOR")" ]; do
        [ "$n" -gt 0 ] || break
        n=$((n - 1)); sleep 0.1
    done
    [ "$n" -eq 0 ] && ! marker_seen || exit 0
    list_members left
    case $BACKGROUND in
        wait) until_idle || { list_members idle; end_members "$TAG" "$SUPERVISOR" 10; } ;;
        *) end_members "$TAG" "$SUPERVISOR" 10 ;;
    esac
    [ "$BACKGROUND" != fail ] || exit 3
    exit 0
}

marker_seen() { [ -n "$MARKER" ] && grep -qF -e "$MARKER" "/proc/$SUPERVISOR/fd/5"; }

list_members() {
    mkdir -p "$D"
    for p in $(members "$TAG" "$SUPERVISOR"); do
        words=$(tr '\0\n' '  ' <"/proc/$p/cmdline" | cut -c 1-200)
        [ -z "$words" ] || echo "$p $words"
    done >"$D/$1.new"
    mv "$D/$1.new" "$D/$1"
}

# Succeeds once no process is left or the marker was seen; fails once they have done nothing for IDLE_S seconds.
until_idle() {
    every=$((IDLE_S / 10)); [ "$every" -gt 0 ] || every=1
    idle_for=0 used=$(ticks) size=$(log_size)
    while [ -n "$(members "$TAG" "$SUPERVISOR")" ]; do
        [ "$idle_for" -lt "$IDLE_S" ] || return 1
        sleep "$every"
        idle_for=$((idle_for + every))
        [ "$(log_size)" -eq "$size" ] || { ! marker_seen || return 0; size=$(log_size); idle_for=0; }
        # Two hundredths of a processor are work; a server that waits for requests needs less.
        if [ $(($(ticks) - used)) -gt $((IDLE_S * 2)) ] || gpu_works; then idle_for=0; fi
        [ "$idle_for" -gt 0 ] || used=$(ticks)
    done
}

log_size() { stat -L -c %s "/proc/$SUPERVISOR/fd/5" 2>/dev/null || echo 0; }

# Hundredths of a second of processor time of all members, their ended children included.
ticks() {
    for p in $(members "$TAG" "$SUPERVISOR"); do sed 's/^.*) //' "/proc/$p/stat"; done 2>/dev/null |
        awk '{ sum += $12 + $13 + $14 + $15 } END { print sum + 0 }'
}

gpu_works() {
    for p in $(members "$TAG" "$SUPERVISOR"); do
        case $(ls -l "/proc/$p/fd" 2>/dev/null) in
            */dev/nvidia*)
                timeout 10 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null |
                    grep -q '[1-9]' && return ;;
        esac
    done
    return 1
}
