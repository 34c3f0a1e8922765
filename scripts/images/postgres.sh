#!/bin/sh
# Prepares an empty data directory, then becomes PostgreSQL as the user postgres. It honours what the official
# image honours and the sample needs: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB,
# POSTGRES_HOST_AUTH_METHOD and the *.sql and *.sh files of /docker-entrypoint-initdb.d.
set -eu

case "${1:-}" in
postgres | -*) ;;
*) exec "$@" ;;
esac
[ "$1" = postgres ] || set -- postgres "$@"
case " $* " in *' --version '* | *' -V '* | *' --help '*) exec "$@" ;; esac

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec su -p -s /bin/sh -- postgres "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user="${POSTGRES_USER:-postgres}"
  database="${POSTGRES_DB:-$user}"
  method="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}"
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    echo '       Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust.' >&2
    exit 1
  fi
  printf '%s\n' "${POSTGRES_PASSWORD:-unused}" >/tmp/password
  initdb --no-sync --username="$user" --pwfile=/tmp/password --auth-local=trust --auth-host="$method"
  rm /tmp/password
  echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
  # What is kept here is sample data: a start in a second is worth more than a power cut.
  printf '%s\n' "listen_addresses = '*'" 'fsync = off' 'synchronous_commit = off' \
    'full_page_writes = off' >>"$PGDATA/postgresql.conf"
  if [ "$database" != postgres ]; then
    name=$(printf '%s' "$database" | sed 's/"/""/g')
    echo "CREATE DATABASE \"$name\"" | postgres --single -D "$PGDATA" postgres >/dev/null
  fi
  first=$(ls /docker-entrypoint-initdb.d 2>/dev/null | head -n 1)
  if [ -n "$first" ]; then
    # Away from the usual socket and port, so that no health check takes this for the real start.
    mkdir -p /tmp/initdb
    pg_ctl -D "$PGDATA" -w -o "-k /tmp/initdb -c listen_addresses=''" start
    export PGHOST=/tmp/initdb PGUSER="$user" PGDATABASE="$database"
    for file in /docker-entrypoint-initdb.d/*; do
      case "$file" in
      *.sh) sh "$file" ;;
      *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -f "$file" ;;
      *) echo "ignoring $file" ;;
      esac
    done
    unset PGHOST PGUSER PGDATABASE
    pg_ctl -D "$PGDATA" -w -m fast stop
  fi
fi

# An imported image cannot name its stop signal: SIGTERM alone would wait for every client to leave.
"$@" &
server=$!
trap 'kill -INT "$server"' TERM INT
code=0
while kill -0 "$server" 2>/dev/null; do
  wait "$server" && code=0 || code=$?
done
exit "$code"
