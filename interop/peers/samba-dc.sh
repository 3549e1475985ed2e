#!/bin/sh
# A domain controller of Samba for tests, in network and mount namespaces of its own. Needs root, no network.
#   samba-dc.sh DIR        makes it in DIR (which must not exist), starts it and prints "ready PID"; it ends when the input does
#   nsenter -t PID -n -m COMMAND...   runs a command inside
# Realm LYNC.TEST, domain LYNCTEST, users with the password Us3r-Pass.word: alice, jürgen, straße, and dora, who is disabled.
set -eu
DIR=$1
mkdir -p "$DIR"
export LC_ALL=C.UTF-8
samba-tool domain provision --targetdir="$DIR" --realm=LYNC.TEST --domain=LYNCTEST --host-name=dc1 --host-ip=127.0.0.1 \
  --server-role=dc --dns-backend=NONE --adminpass='Adm1n-Pass.word' --option="interfaces=lo" --option="bind interfaces only=yes" \
  >"$DIR/provision.log" 2>&1
mkdir -p "$DIR/run/ncalrpc" "$DIR/run/winbindd" "$DIR/cache"
chmod 755 "$DIR/run/winbindd"
cat >"$DIR/etc/smb.conf" <<C
[global]
	netbios name = DC1
	realm = LYNC.TEST
	workgroup = LYNCTEST
	server role = active directory domain controller
	server services = rpc, ldap, cldap, winbindd, kdc
	interfaces = lo
	bind interfaces only = yes
	private dir = $DIR/private
	state directory = $DIR/state
	lock directory = $DIR
	cache directory = $DIR/cache
	binddns dir = $DIR/bind-dns
	pid directory = $DIR/run
	ncalrpc dir = $DIR/run/ncalrpc
	winbindd socket directory = $DIR/run/winbindd
	log file = $DIR/run/log.%m
	prefork children = 1
	ntlm auth = ntlmv2-only
	load printers = no
	log level = 1 auth_audit:3
C
# All users in one process: samba-tool takes a second for each.
/usr/bin/python3 - "$DIR" >>"$DIR/provision.log" 2>&1 <<'P'
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
loadparm = LoadParm(filename_for_non_global_lp=sys.argv[1] + "/etc/smb.conf")
loadparm.load(sys.argv[1] + "/etc/smb.conf")
base = SamDB(url=sys.argv[1] + "/private/sam.ldb", session_info=system_session(), lp=loadparm)
for user in ("alice", "jürgen", "straße", "dora"):
    base.newuser(user, "Us3r-Pass.word")
base.disable_account("(sAMAccountName=dora)")
P
# The mount is for libwbclient, which looks for the socket only in the place that is compiled in.
mkdir -p /run/samba/winbindd
exec 3<&0
unshare -n -m sh -c '
  ip link set lo up
  mount --bind "$1/run/winbindd" /run/samba/winbindd
  exec samba -i -M prefork -s "$1/etc/smb.conf" --debug-stdout <&3 3<&-' sh "$DIR" >"$DIR/run/samba.out" 2>&1 &
PID=$!
exec 3<&- </dev/null
for _ in $(seq 1 240); do
  if [ -S "$DIR/run/winbindd/pipe" ] && nsenter -t $PID -n -m wbinfo -P >/dev/null 2>&1; then
    echo "ready $PID"
    wait $PID || true
    exit 0
  fi
  kill -0 $PID 2>/dev/null || break
  sleep 0.25
done
echo "not up"
cat "$DIR/run/samba.out" >&2
kill $PID 2>/dev/null || true
exit 1
