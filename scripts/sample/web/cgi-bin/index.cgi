#!/bin/sh
# The page: this branch's own title, and how often it was asked for, counted in this environment's Redis.
visits=$(printf 'INCR visits\r\nQUIT\r\n' | nc redis 6379 | sed -n 's/^:\([0-9]*\).*/\1/p')
printf 'Content-Type: text/html\r\n\r\n'
cat <<HTML
<!doctype html>
<title>Shop</title>
<h1>$(cat /srv/title.txt)</h1>
<p>Visit number ${visits:-unknown}.</p>
HTML
