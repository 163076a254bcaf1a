#!/bin/bash
# Sourced by bash: takes over the container's variables. An SSH session has none of them: they are PID 1's alone.
# What the session has is kept; the image's folders are added to its PATH.
while IFS= read -r -d '' v; do
    n=${v%%=*}
    case $n in
        PATH) PATH=$PATH:${v#*=} ;;
        '' | _ | PWD | OLDPWD | SHLVL | RUNPOD_DEPLOY_* | [0-9]* | *[!A-Za-z0-9_]*) ;;
        *) [ -n "${!n+x}" ] || export "${v?}" ;;
    esac
done 2>/dev/null </proc/1/environ
unset v n
