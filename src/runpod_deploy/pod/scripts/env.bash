#!/bin/bash
# Sourced by bash: exports the container's variables, which only PID 1 has and an SSH session does not.
# Variables that the session has are kept; the folders of the image's PATH are added to its own.
while IFS= read -r -d '' v; do
    n=${v%%=*}
    case $n in
        PATH) PATH=$PATH:${v#*=} ;;
        '' | _ | PWD | OLDPWD | SHLVL | RUNPOD_DEPLOY_* | [0-9]* | *[!A-Za-z0-9_]*) ;;
        *) [ -n "${!n+x}" ] || export "${v?}" ;;
    esac
done 2>/dev/null </proc/1/environ
unset v n
