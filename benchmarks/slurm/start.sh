#!/usr/bin/env bash
# A SLURM of one node, this machine, on loopback: munged, slurmctld and slurmd in a folder of their own.
#
#   source benchmarks/slurm/start.sh [FOLDER]     # default /tmp/myovivo-slurm
#
# Sourced, it also sets SLURM_CONF, by which sbatch and srun find it. Nothing outside the folder is written.
# stop.sh ends it. As root, since slurmd starts jobs as their users; munge refuses a folder that others may write.

slurm_start() {
    local folder=${1:-/tmp/myovivo-slurm} program node tries
    for program in munged slurmctld slurmd; do
        PATH=$PATH:/usr/sbin command -v $program >/dev/null && continue
        echo "$program is not installed; run: apt-get install slurm-wlm munge" >&2
        return 1
    done
    if [ "$(id -u)" != 0 ]; then
        echo "slurmd must be root to start jobs; run this as root" >&2
        return 1
    fi
    mkdir -p "$folder"/{munge,state,spool,log} && chmod 755 "$folder/munge" || return 1
    node=$(hostname -s)

    (umask 077 && [ -e "$folder/munge/key" ] || head -c 1024 /dev/urandom >"$folder/munge/key")
    cat >"$folder/slurm.conf" <<CONF
ClusterName=myovivo
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
# A container may have no control groups of its own.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) CoresPerSocket=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
    echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf"

    export SLURM_CONF=$folder/slurm.conf
    export PATH=$PATH:/usr/sbin
    if sinfo >/dev/null 2>&1; then
        echo "already running: $SLURM_CONF"
        return 0
    fi
    munged --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
        --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" &&
        slurmctld -c && slurmd -N "$node" || { echo "not started; see $folder/log" >&2; return 1; }
    for tries in $(seq 30); do
        [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
        sleep 1
    done
    sinfo
    [ "$tries" -lt 30 ] || { echo "the node is not idle after 30 s; see $folder/log" >&2; return 1; }
    echo "running: export SLURM_CONF=$SLURM_CONF"
}

slurm_start "$@"
