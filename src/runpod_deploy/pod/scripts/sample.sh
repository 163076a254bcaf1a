#!/bin/sh
# Prints one line of JSON: the present use of the pod's GPUs, processors, memory and disk.
# Unknown values are null or left out; a card without ECC or a pod without GPU is no error.

gpu_rows() {
    command -v nvidia-smi >/dev/null || return 0
    fields=index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw
    ecc=,ecc.errors.uncorrected.volatile.total
    timeout 10 nvidia-smi --query-gpu="$fields$ecc" --format=csv,noheader,nounits 2>/dev/null ||
        timeout 10 nvidia-smi --query-gpu="$fields" --format=csv,noheader,nounits 2>/dev/null
}

gpu_json() {
    gpu_rows | awk -F', *' '
        function num(v) { return v ~ /^-?[0-9]+(\.[0-9]+)?$/ ? v + 0 : "null" }
        function text(v) { gsub(/[\\"]/, "\\\\&", v); return "\"" v "\"" }
        NF >= 7 {
            util = num($3); used = num($4); total = num($5); temp = num($6); watts = num($7)
            ecc = NF >= 8 ? num($8) : "null"
            if (!n++) first = "\"gpu_util_pct\": " util ", \"gpu_mem_used_mb\": " used ", \"gpu_mem_total_mb\": " \
                total ", \"gpu_temp_c\": " temp ", \"gpu_ecc_errors\": " ecc ", "
            rows = rows (n > 1 ? ", " : "") "{\"index\": " num($1) ", \"name\": " text($2) ", \"util_pct\": " util \
                ", \"mem_used_mb\": " used ", \"mem_total_mb\": " total ", \"temp_c\": " temp \
                ", \"power_w\": " watts ", \"ecc_errors\": " ecc "}"
        }
        END { printf "%s\"gpus\": [%s]", first, rows }'
}

# The user and system share of the processors over half a second, and the load average.
cpu_json() {
    { grep '^cpu ' /proc/stat; sleep 0.5; grep '^cpu ' /proc/stat; cat /proc/loadavg; } 2>/dev/null | awk '
        /^cpu / { user = $2 + $3 - u; sys = $4 + $7 + $8 - s; u = $2 + $3; s = $4 + $7 + $8
                  all = 0; for (i = 2; i <= 9; i++) all += $i; spent = all - before; before = all; next }
        { share = spent ? 100 / spent : 0
          printf ", \"cpu_load_1m\": %s, \"cpu_user_pct\": %.1f, \"cpu_sys_pct\": %.1f", $1, user * share, sys * share }'
}

# The memory limit of the container if there is one, else the memory of the machine.
memory_json() {
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null)
    inactive=$(sed -n 's/^inactive_file //p' /sys/fs/cgroup/memory.stat 2>/dev/null)
    current=$(cat /sys/fs/cgroup/memory.current 2>/dev/null)
    case ${limit:-max} in
        max) awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { a = $2 }
                  END { if (t) printf ", \"host_mem_used_mb\": %d, \"host_mem_total_mb\": %d", (t - a) / 1024, t / 1024 }' \
                 /proc/meminfo ;;
        *) printf ', "host_mem_used_mb": %d, "host_mem_total_mb": %d' \
               $(((${current:-0} - ${inactive:-0}) / 1048576)) $((limit / 1048576)) ;;
    esac
}

# The timeout keeps a network volume that hangs from blocking the sampler.
disk_json() {
    timeout 5 df -P -k "$1" 2>/dev/null | awk 'NR == 2 && $2 > 0 {
        printf ", \"workspace_disk_used_bytes\": %.0f, \"workspace_disk_total_bytes\": %.0f", $3 * 1024, $2 * 1024 }'
}

printf '{%s%s%s%s}\n' "$(gpu_json)" "$(cpu_json)" "$(memory_json)" "$(disk_json "${1:-/workspace}")"
