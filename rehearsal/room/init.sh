#!/bin/sh
# The first process of a room: prepares it, runs the command, and ends with it. When it ends the kernel ends all else.
# usage: init.sh RECORD COMMAND ... ; RECORD is the room's directory among the records of all rooms.
record="$1"
shift
fail() {
  echo "$*" >"$record/why"
  exit 125
}

# Who made us may have ended before the kernel was told to kill us then.
[ -z "$TUTTI_ROOM_MAKER" ] || [ -d "/proc/$TUTTI_ROOM_MAKER" ] || exit 125

# Whoever finds this lock free knows that the room is gone. Only this process holds it.
cd "$record" && exec 9>lock || fail "its record can't be written"
flock --nonblock 9 || fail "its record belongs to another room"

# /proc is still that of outside and says by which number one knows us there.
read -r outside _ </proc/self/stat || fail "/proc says nothing"
mount -t proc proc /proc || fail "mount /proc"

# What runs outside is not seen here, and what is made here is not seen outside. The record is both: it is bound by
# where we stand, as its path leads into the new /run by now.
mount -t tmpfs -o mode=755 tmpfs /run || fail "mount /run"
mkdir -p "$record" && mount --no-canonicalize --bind . "$record" && cd / || fail "bind the record"
# Namespaces of networks are mounts. Shared, so that one made later is seen in the mount namespaces made before.
mkdir /run/netns && mount -t tmpfs -o mode=755 tmpfs /run/netns && mount --make-shared /run/netns || fail "mount /run/netns"
mkdir -p /run/systemd/nspawn /run/lock || fail "mkdir in /run"
ip link set lo up || fail "ip link set lo up"
cd "$TUTTI_ROOM_WORK" || fail "cd $TUTTI_ROOM_WORK"
unset TUTTI_ROOM_WORK TUTTI_ROOM_MAKER

# What runs in the background would read from nowhere otherwise.
exec 8<&0
"$@" <&8 8<&- 9>&- &
command=$!
exec 8<&- </dev/null >/dev/null 2>&1
trap 'kill -TERM $command' TERM
trap 'kill -INT $command' INT
echo "$outside" >"$record/pid.new" && mv "$record/pid.new" "$record/pid"

# A signal interrupts the wait; only when the command is no more, its code is the room's.
while :; do
  wait $command
  code=$?
  kill -0 $command 2>/dev/null || exit $code
done
