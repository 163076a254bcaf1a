# The dead-man's switch of a pod: stops the job and releases the pod when nobody else does. It never exits.
#   G=TEXT RUNPOD_DEPLOY_DIR=DIR RUNPOD_DEPLOY_ROLE="guard TAG" setsid sh -c 'eval "$G"' guard.sh
# Its text is a variable, so that it needs no file that a job may remove, and its arguments name nothing that a job may
# kill by name. It ignores signals, and its keeper (keeper.awk) starts it again if it is killed.
# DIR is the run's control folder, named by the run id. What the guard needs it keeps in memory; its files are for the
# client and for the next start of the container, and are written anew when they are gone.
# DIR/guard/terms has one "name value" a line: now, deadline (both in seconds since 1970), idle_s, ended_s (the same
# after the end of a job), started (how to release once a job was started: delete, stop or preserve), unstarted (how to release before that), api, and a line
# "secret PATH" for each file to remove at the end of the job. The first terms are made of the container's variables.
# DIR/guard/armed is a copy of the terms in force; DIR/guard/proof exists once the API has accepted the pod's key.
# While DIR/guard/disarmed exists, nothing is done. DIR/guard/rest means that the pod is being stopped: its next start is
# on purpose. A client at work touches DIR/contact; the guard moves it to DIR/guard/contact, so that its time stays known.
set -u; umask 077; cd /; trap '' TERM HUP INT QUIT USR1 USR2 ALRM
dir=$RUNPOD_DEPLOY_DIR g=$RUNPOD_DEPLOY_DIR/guard tag=${RUNPOD_DEPLOY_DIR##*/}@ keeper=${KEEPER-}
agent=runpod-deploy-guard/2 boot_id=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
in_force='' proved='' disarmed='' job='' secrets_left=yes tried=0 pause=5
mkdir -p "$g" 2>/dev/null || g=$(mktemp -d) || g=/dev/shm/runpod-deploy-guard

keep_keeper() {
    [ -z "$keeper" ] || ! runs "$keeper" || return 0
    command -v awk >/dev/null || return 0
    printf %s "$keeper_awk" | GUARD=$$ TERMS=$in_force CLOCK=$clock setsid awk -f /dev/stdin >/dev/null 2>&1 &
    keeper=$!
}

# The job's supervisor as its file names it. The file is written anew if the job has removed it.
keep_job() {
    if read -r known <"$dir/pid"; then job=$known
    elif [ -n "$job" ] && runs "${job%% *}"; then mkdir -p "$dir" && echo "$job" >"$dir/pid"
    fi
} 2>/dev/null
find_job() { job=$(with_variable "ROLE=job $tag" | head -n 1) && [ -z "$job" ] || job="$job $(container_id)"; }
job_runs() { case $(job_state "$dir" "$tag") in running* | orphaned*) ;; *) return 1 ;; esac; }

# Once, since a user may write such a file again later.
forget_secrets() {
    [ -z "$secrets_left" ] || all_terms secret | remove_secrets
    secrets_left=''
}

due() {
    why='the deadline has passed'; [ "$now" -lt "$deadline" ] || return 0
    [ ! -e "$dir/contact" ] || ! mv -f "$dir/contact" "$g/contact" || touch_seen
    if [ -n "$job" ] && job_runs; then
        [ $(((now - seen) * 10)) -lt "$ended" ] || touch_seen
        return 1
    fi
    patience=$idle
    [ -z "$job" ] || { forget_secrets; patience=$ended; }
    why="no job runs and nobody has come for $patience s"
    [ $((now - seen)) -ge "$patience" ] && ! grep -qs '^sshd[^:]*: .*@pts/' /proc/[0-9]*/cmdline
}

release() {
    action=${unstarted:-delete}
    if [ -n "$job" ]; then
        action=${started:-stop}
        (stop_job "$dir" "$tag" 10) >/dev/null 2>&1
        forget_secrets
    fi
    note "$why: $action"
    case $action in
        preserve) ;;
        stop) stop ;;
        *) request DELETE "/v2/pods/$id" || request_action terminate podTerminate '' remove || stop ;;
    esac
}
stop() { request_action stop podStop '{id}' stop && save rest ''; }
prove() { if request GET "/v2/pods/$id"; then proved=yes; save proof ''; else tried=$((up + 5)); fi; }

# A later run that uses the pod has a control folder of its own, which its client names in the folder of the first run.
# The guard becomes that run's, at once and at each start of the container: else it would end the pod under that run.
follow_run() {
    read -r next <"$first/guard/successor" && [ -n "$next" ] && [ "$next" != "$dir" ] || return 0
    [ -z "$keeper" ] || kill -KILL "$keeper"
    RUNPOD_DEPLOY_DIR=$next RUNPOD_DEPLOY_ROLE="guard ${next##*/}@" exec sh -c 'eval "$G"' guard.sh
} 2>/dev/null

first=$(env_of 1 DEPLOY_DIR); follow_run
rm -f "$g/proof"; save pid $$
restore_clock; tick
find_job; restore_terms
unset RUNPOD_DEPLOY_ROLE KEEPER TERMS CLOCK
while :; do
    tick
    follow_run
    keep_files; keep_keeper; keep_job
    [ -n "$proved" ] || [ "$up" -lt "$tried" ] || prove
    if [ -z "$disarmed" ] && [ "$up" -ge "$tried" ] && due; then
        release; tried=$((up + pause)) pause=$((pause < 150 ? pause * 2 : 300))
    fi
    sleep 1
done
