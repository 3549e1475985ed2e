#!/bin/sh
# Provides a tshark that dissects the network and data link layers of DECT (Wireshark 4.2 or later).
#
#   tshark.sh DIRECTORY
#
# prints the directory of the programs `tshark` and `text2pcap`. A suitable installed tshark is taken as it is. Otherwise
# the packages of Debian 13 are unpacked below DIRECTORY, about 220 MiB, and run with their own loader and libraries:
# nothing outside DIRECTORY changes. Needs a Debian or one of its kin on x86-64 or arm64, and its package mirror.
set -eu

[ $# -eq 1 ] || { echo "usage: tshark.sh DIRECTORY" >&2; exit 2; }

dissects_dect() {
    "$1" -G protocols 2>/dev/null | grep -qw dect_nwk
}

installed=$(command -v tshark || true)
if [ -n "$installed" ] && command -v text2pcap >/dev/null && dissects_dect "$installed"; then
    dirname "$installed"
    exit 0
fi

mkdir -p "$1"
directory=$(cd "$1" && pwd)
programs=$directory/bin

# Several tests may ask at the same time; one of them does the work.
exec 9>"$directory/lock"
flock 9

if [ -x "$programs/tshark" ] && dissects_dect "$programs/tshark"; then
    echo "$programs"
    exit 0
fi

key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$key" ] || { echo "tshark.sh: $key is missing: this is no Debian" >&2; exit 1; }

# The mirror this machine uses anyway.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*\] \)*\([^ ]*\).*/\2/p' | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}

state=$directory/apt
root=$directory/root
rm -rf "$state" "$root" "$programs"
mkdir -p "$state/lists/partial" "$state/archives/partial" "$root" "$programs"
: >"$state/status"
echo "deb [signed-by=$key] $mirror trixie main" >"$state/sources.list"

apt() {
    apt-get -q \
        -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State="$state" -o Dir::State::Status="$state/status" -o Dir::State::Lists="$state/lists" \
        -o Dir::Cache="$state" -o Dir::Cache::Archives="$state/archives" \
        -o APT::Install-Recommends=false -o Debug::NoLocking=true "$@" >&2
}
apt update
apt install --yes --download-only tshark wireshark-common

for package in "$state"/archives/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
rm -rf "$state"

loader=$(find "$root/usr" -name 'ld-linux-*.so.*' | head -n 1)
[ -n "$loader" ] || { echo "tshark.sh: the unpacked packages have no loader" >&2; exit 1; }
libraries=$(dirname "$(find "$root/usr/lib" -name 'libwireshark.so.*' | head -n 1)")

for program in tshark text2pcap; do
    cat >"$programs/$program" <<END
#!/bin/sh
exec "$loader" --library-path "$libraries" "$root/usr/bin/$program" "\$@"
END
    chmod +x "$programs/$program"
done

dissects_dect "$programs/tshark" || { echo "tshark.sh: this tshark does not know DECT" >&2; exit 1; }
echo "$programs"
