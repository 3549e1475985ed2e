#!/bin/sh
# A key distribution centre of MIT Kerberos for tests, on a port of the loopback. Needs no root.
#   krb5-kdc.sh DIR PORT     makes it in DIR (which must not exist), starts it and prints "ready"; it ends when the input does
# Realm LYNC.TEST, user alice (DIR/client.keytab), service sip/localhost (DIR/server.keytab). Programs take KRB5_CONFIG=DIR/krb5.conf.
set -eu
DIR=$1 PORT=$2
PATH=$PATH:/usr/sbin
mkdir -p "$DIR"
cat >"$DIR/krb5.conf" <<C
[libdefaults]
  default_realm = LYNC.TEST
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  default_ccache_name = MEMORY:
[realms]
  LYNC.TEST = {
    kdc = 127.0.0.1:$PORT
  }
[domain_realm]
  localhost = LYNC.TEST
[logging]
  kdc = FILE:$DIR/kdc.log
C
cat >"$DIR/kdc.conf" <<C
[kdcdefaults]
  kdc_listen = 127.0.0.1:$PORT
  kdc_tcp_listen = 127.0.0.1:$PORT
[realms]
  LYNC.TEST = {
    database_name = $DIR/principal
    key_stash_file = $DIR/stash
    acl_file = $DIR/acl
    supported_enctypes = aes256-cts:normal
  }
C
export KRB5_CONFIG="$DIR/krb5.conf" KRB5_KDC_PROFILE="$DIR/kdc.conf"
kdb5_util create -s -r LYNC.TEST -P "a master key of a test" >"$DIR/log" 2>&1
kadmin.local >>"$DIR/log" 2>&1 <<K
addprinc -randkey alice
addprinc -randkey sip/localhost
ktadd -k $DIR/client.keytab alice
ktadd -k $DIR/server.keytab sip/localhost
K
krb5kdc -n >>"$DIR/log" 2>&1 &
PID=$!
trap 'kill $PID 2>/dev/null && wait $PID' EXIT
for _ in $(seq 1 100); do
  if grep -qs 'commencing operation' "$DIR/kdc.log"; then
    echo ready
    cat >/dev/null
    exit 0
  fi
  kill -0 $PID 2>/dev/null || break
  sleep 0.05
done
echo "not up"
cat "$DIR"/*log >&2
exit 1
