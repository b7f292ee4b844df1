# Arguments: root, addresses of cores. Tells what kind of machine this is, one fact a line, and changes nothing.
root=$1
shift
etc=$root/etc/tutti opt=$root/opt/tutti

tell() { [ -z "$2" ] || printf '%s %s\n' "$1" "$2"; }

own_address() {
  for core; do
    ip -o route get "$core" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p' | head -n 1
  done | head -n 1
}

tell architecture "$(uname -m)"
tell host "$(uname -n)"
tell machine "$(cat "$root/etc/machine-id" 2>/dev/null)"
tell distribution "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null | tr -d \")"
tell address "$(own_address "$@")"
for program in systemctl bash tar gzip sha256sum base64 flock timeout; do
  command -v "$program" >/dev/null || tell lacks "$program"
done
tell node "$(sed -n 's/^ *"id": *"\([^"]*\)".*/\1/p' "$etc/node.json" 2>/dev/null | head -n 1)"
tell cluster "$(sed -n 's/^ *"cluster": *"\([^"]*\)".*/\1/p' "$etc/node.json" 2>/dev/null | head -n 1)"
tell current "$(readlink "$opt/current" 2>/dev/null)"
for one in "$opt"/*/bin/node; do
  [ ! -x "$one" ] || tell bundle "$(basename "$(dirname "$(dirname "$one")")")"
done
place=$opt
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
tell free "$(df -Pk "$place" | awk 'NR == 2 { print $4 }')"
