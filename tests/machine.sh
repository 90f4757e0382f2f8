# Starts a machine in namespaces of its own, or a shell in its files: see machines.py, which sets what is read here.
set -euo pipefail

files() {  # what the machine sees as its root: what it wrote, over what it was installed from
    mount --make-rprivate /
    mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$FOLDER/own,workdir=$FOLDER/work" "$ROOT"
    mount -t tmpfs -o mode=755 run "$ROOT/run"
    mount -t tmpfs -o mode=755 dev "$ROOT/dev"
    for device in null zero full random urandom tty; do
        touch "$ROOT/dev/$device"
        mount --bind "/dev/$device" "$ROOT/dev/$device"
    done
    ln -s /proc/self/fd "$ROOT/dev/fd"
    mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$ROOT/dev/pts"
    ln -s pts/ptmx "$ROOT/dev/ptmx"
    mount -t tmpfs -o mode=1777 shm "$ROOT/dev/shm"
    while read -r from to; do
        mkdir -p "$ROOT$to"
        mount --bind "$from" "$ROOT$to"
    done < "$FOLDER/mounts"
}

entered() {
    cd "$ROOT"
    mkdir -p .outside
    pivot_root . .outside
    umount --lazy /.outside
    rmdir /.outside
}

case $1 in
shell)  # with the network of this machine, to install from
    exec unshare --mount --pid --fork --kill-child=KILL bash "$0" installing
    ;;
installing)
    files
    mount -t proc proc "$ROOT/proc"
    mount -t sysfs -o ro sysfs "$ROOT/sys"
    rm -f "$ROOT/etc/resolv.conf"
    cp --dereference /etc/resolv.conf "$ROOT/etc/resolv.conf"
    [ -z "${AUTHORITIES:-}" ] || cp "$AUTHORITIES" "$ROOT/run/authorities.pem"
    entered
    exec bash -euo pipefail -c "$COMMAND"
    ;;
start)
    echo $$ > "$CGROUP/cgroup.procs"
    exec unshare --mount --uts --ipc --net --cgroup bash "$0" wired
    ;;
wired)
    ip link add eth0 type veth peer name "$NAME" netns "$LAN"
    nsenter --target "$LAN" --net ip link set "$NAME" master lan up
    ip address add "$ADDRESS/24" dev eth0
    ip link set eth0 up
    ip link set lo up
    files
    exec unshare --pid --fork --kill-child=KILL bash "$0" booting
    ;;
booting)
    mount -t proc proc "$ROOT/proc"
    mount --bind "$ROOT/proc/sys" "$ROOT/proc/sys"
    mount -o remount,ro,bind "$ROOT/proc/sys"  # the kernel is that of all
    mount -t sysfs -o ro sysfs "$ROOT/sys"
    mountpoint -q "$ROOT/sys/fs/cgroup" || mount -t tmpfs cgroup "$ROOT/sys/fs/cgroup"
    mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
    entered
    hostname "$NAME"
    exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv \
        --bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot,-syslog,-mac_admin /lib/systemd/systemd --log-target=journal
    ;;
esac
