#!/usr/bin/env bash
# End the SLURM that start.sh started, its jobs with it.
#
#   bash benchmarks/slurm/stop.sh [FOLDER]

folder=${1:-/tmp/myovivo-slurm}
export SLURM_CONF=$folder/slurm.conf
scancel --user="$(id -un)" 2>/dev/null
for file in "$folder/slurmd.pid" "$folder/slurmctld.pid" "$folder/munge/pid"; do
    [ -e "$file" ] && kill "$(cat "$file")"
done
true
