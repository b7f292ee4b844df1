# Arguments: root, name of the directory, SHA-256 of the archive, architecture. Reads the archive in base64 and puts what is
# in it beside the other versions: whole or not at all. What runs does not notice.
set -eu
root=$1 name=$2 sha256=$3 wanted=$4
opt=$root/opt/tutti place=$opt/$name
work=$opt/.delivery.$$
trap 'rm -rf "$work"' EXIT

if [ -x "$place/bin/node" ]; then
  echo there
  exit
fi
umask 022
mkdir -p "$work/tree"
base64 -d >"$work/bundle.tar.gz"
found=$(sha256sum <"$work/bundle.tar.gz" | cut -d' ' -f1)
if [ "$found" != "$sha256" ]; then
  echo "what arrived has the checksum $found, not $sha256" >&2
  exit 1
fi
tar --extract --gzip --no-same-owner --file "$work/bundle.tar.gz" --directory "$work/tree"
rm "$work/bundle.tar.gz"
made_for=$(sed -n 's/.*"architecture" *: *"\([^"]*\)".*/\1/p' "$work/tree/bundle.json")
if [ "$made_for" != "$wanted" ]; then
  echo "the bundle is for $made_for, this machine is $wanted" >&2
  exit 1
fi
# On the disk before it has its name: who finds the name finds all of it.
sync -f "$work/tree" 2>/dev/null || sync
mv -T "$work/tree" "$place"
echo delivered
