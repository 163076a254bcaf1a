# The guard's terms and its clock: in memory, and in files for the client and for the next start. Part of guard.sh.

note() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*" >>"$g/log"; } 2>/dev/null
save() { echo "$2" >"$g/$1.new" && mv "$g/$1.new" "$g/$1" || :; } 2>/dev/null
env_of() { tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n "s/^RUNPOD_$2=//p" | head -n 1; }
all_terms() { printf '%s\n' "$in_force" | sed -n "s/^$1 //p"; }
term() { all_terms "$1" | head -n 1; }
is_number() { case ${1:-none} in *[!0-9]*) return 1 ;; esac; }
number() { if is_number "$1"; then echo "$1"; else echo "$2"; fi; }
uptime_s() { read -r up _ </proc/uptime && up=${up%%.*}; }

# The time is the caller's clock at arming plus the uptime since then, so that changes of the pod's clock do not matter.
set_clock() { uptime_s; base=$1 base_up=$up clock="$1 $up $boot_id"; save clock "$clock"; }
tick() { uptime_s; now=$((base + up - base_up)); }
restore_clock() {
    clock=$(cat "$g/clock" 2>/dev/null || echo "${CLOCK-}")
    base=${clock%% *} boot=${clock##* } base_up=${clock#* } base_up=${base_up%% *}
    uptime_s
    is_number "$base" && is_number "$base_up" && [ "$boot" = "$boot_id" ] && [ "$up" -ge "$base_up" ] ||
        set_clock "$(date +%s)"
}
touch_seen() { seen=$now; save seen "$seen"; }

restore_terms() {
    seen=$(number "$(cat "$g/seen" 2>/dev/null)" "$now")
    given=$(cat "$g/terms" 2>/dev/null || echo "${TERMS-}")
    [ -e "$g/rest" ] || take_terms
    [ -n "$in_force" ] || { first_terms; take_terms; }
}

# The terms before a client has come. A person who starts a stopped pod again has a use for it: it stays for a day,
# while somebody is connected.
first_terms() {
    deadline=$(number "$(env_of 1 DEPLOY_DEADLINE)" 0) idle=$(number "$(env_of 1 DEPLOY_IDLE_S)" 3600)
    started=$(env_of 1 DEPLOY_ON_FAILURE) unstarted=delete
    [ ! -e "$g/rest" ] && [ "$deadline" -gt "$now" ] || deadline=$((now + 86400)) started=stop unstarted=stop
    given=$(printf '%s %s\n' deadline "$deadline" idle_s "$idle" started "${started:-stop}" unstarted $unstarted)
    save terms "$given"
    touch_seen; rm -f "$g/rest"
}

# The given terms are in force, unless they make no sense. The keeper gets them when it is started again.
take_terms() {
    before=$in_force in_force=$given
    is_number "$(term deadline)" || { in_force=$before; return; }
    sent_at=$(term now)
    if is_number "$sent_at" && [ "$(cat "$g/armed" 2>/dev/null || echo "${TERMS-}")" != "$in_force" ]; then
        set_clock "$sent_at"; tick; touch_seen
    fi
    deadline=$(term deadline) idle=$(number "$(term idle_s)" 3600)
    ended=$(number "$(term ended_s)" "$idle") started=$(term started) unstarted=$(term unstarted)
    api=$(env_of 1 API_BASE_URL) named=$(term api) key=$(env_of 1 API_KEY) id=$(env_of 1 POD_ID)
    api=${api:-${named:-https://api.runpod.io}} tried=0 pause=5
    save armed "$in_force"
    [ -z "$keeper" ] || kill -KILL "$keeper" 2>/dev/null
    keeper=''
}

# The files are as this guard has them in memory. Of two guards, the one that wrote its number last goes on.
keep_files() {
    [ ! -e "$g/disarmed" ] || disarmed=yes
    if given=$(cat "$g/terms") && [ -n "$given" ]; then
        [ -e "$g/disarmed" ] || disarmed=''
        [ "$given" = "$in_force" ] || { take_terms; tick; }
    else
        mkdir -p "$g"
        save armed "$in_force"; save clock "$clock"; save seen "$seen"; save terms "$in_force"
        [ -z "$disarmed" ] || save disarmed ''
    fi
    [ -z "$proved" ] || [ -e "$g/proof" ] || save proof ''
    newest=$(number "$(cat "$g/pid")" 0)
    [ "$newest" != $$ ] || return 0
    runs "$newest" && has_variable "$newest" "ROLE=guard $tag" || { save pid $$; return; }
    kill -KILL "$keeper"
    exit
} 2>/dev/null
