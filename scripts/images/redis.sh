#!/bin/sh
# Becomes Redis as the user redis, open to the other containers, with its data in /data.
set -eu

case "${1:-}" in
redis-server) shift ;;
-* | *.conf | '') ;;
*) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
  chown -R redis:redis .
  exec su -p -s /bin/sh -- redis "$0" redis-server "$@"
fi
exec redis-server "$@" --protected-mode no
