# One job on one pod, as a person would write it by hand who trusts every machine: no cap, no guard, no retry, no check.
# Prints a line with a name and a time after each part. The folder holds job.sh, and gets key and results.
set -eu
say() { echo "$1 $EPOCHREALTIME"; }
api() { curl -sS -H "Authorization: Bearer $RUNPOD_API_KEY" -H 'Content-Type: application/json' "$@"; }
pods=$RUNPOD_API_BASE_URL/v2/pods

ssh-keygen -q -t ed25519 -N '' -f key
id=$(api -d '{"name":"floor","image":"'"$1"'","gpu":{"id":"NVIDIA L40S","count":1},"cloud":"SECURE","disk":20,
    "ports":["22/tcp"],"dataCenterIds":["EU-SE-1"],"env":{"PUBLIC_KEY":"'"$(cat key.pub)"'"}}' "$pods" |
    grep -oE '"id": "[a-z0-9]{14}"' | cut -d '"' -f 4)
say created
until port=$(api "$pods/$id" | grep -oE '"port": [0-9]+, "username": "root"' | grep -oE '[0-9]+'); do sleep 0.3; done
pod() {
    ssh -o ControlMaster=auto -o ControlPath="$PWD/s" -o ControlPersist=60 -o LogLevel=ERROR -o BatchMode=yes \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile="$PWD/known" -i key -p "$port" root@127.0.0.1 "$@"
}
until pod true 2>/dev/null; do sleep 0.3; done
say reachable
tar -cf - job.sh | pod 'mkdir -p /workspace && tar -xf - -C /workspace'
say launched
pod 'sh /workspace/job.sh >/workspace/job.log 2>&1 </dev/null'
say ended
mkdir results
pod 'tar -cf - -C /workspace out.txt job.log' | tar -xf - -C results
say pulled
pod -O exit 2>/dev/null
api -X DELETE "$pods/$id"
until [ "$(api -o answer -w '%{http_code}' "$pods/$id")" = 404 ]; do sleep 0.3; done
say gone
