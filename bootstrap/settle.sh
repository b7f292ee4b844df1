# Argument: the node's home. Reads lines "what base64" and puts each in its place: for its owner only, and whole or
# not at all. Prints what it did; an authority that is there stays. Secrets are in the shell's own variables and in pipes.
set -eu
home=$1 anew=
etc=${TUTTI_ROOT:-}/etc/tutti

decode() { printf '%s' "$one" | base64 -d; }

# Users that apps run as may pass through the home.
umask 066
mkdir -p "$home"
umask 077

while read -r what one; do
  case $what in
  authority)
    mkdir -p "$home/identity"
    fresh=$home/identity/.authority.$$
    decode >"$fresh"
    sync "$fresh" 2>/dev/null || true
    # Of two who come at the same time one makes the name.
    if ln "$fresh" "$home/identity/authority.json" 2>/dev/null; then
      echo 'authority delivered'
      anew=1
    else
      echo 'authority there'
    fi
    rm -f "$fresh"
    ;;
  node)
    decode >"$etc/node.json.new"
    mv -f "$etc/node.json.new" "$etc/node.json"
    echo 'node delivered'
    anew=1
    ;;
  password)
    decode | chpasswd
    echo 'password rotated'
    ;;
  esac
done

[ -z "$anew" ] || systemctl restart tutti.service
