#!/bin/sh
# The work of piko by hand, with the same programs: by_hand.sh create|down|up|destroy NAME, in the main worktree.
# Host ports stand in the compose file, so giving other ones costs no time here.
set -eu
name=$2
path=$PWD/../hand-worktrees/$name
project=$PREFIX-hand-$name
session=hand-$name

compose() {
  docker compose -p "$project" -f "$path/docker-compose.yml" "$@"
}

open_windows() {
  for service in db redis web; do
    tmux new-window -d -t "=$session:" -n "$service" -- docker compose -p "$project" exec "$service" sh
  done
  tmux new-window -d -t "=$session:" -n logs -- docker compose -p "$project" logs --follow --tail 100
}

case $1 in
  create)
    git check-ref-format --branch "$name" >/dev/null
    git for-each-ref "refs/heads/$name"
    git branch --no-track -- "$name" HEAD
    git worktree add --quiet -- "$path" "$name"
    docker compose version --short >/dev/null
    compose --profile '*' config --format json >/dev/null
    compose up --detach --quiet-pull --remove-orphans --wait
    (cd "$path" && sh -c "docker compose -p $project exec -T db psql -q -U shop <db/schema.sql")
    tmux new-session -d -s "$session" -c "$path" -n shell
    open_windows
    ;;
  down)
    compose stop
    ;;
  up)
    docker compose version --short >/dev/null
    compose --profile '*' config --format json >/dev/null
    compose up --detach --quiet-pull --remove-orphans --wait
    tmux has-session -t "=$session"
    # Theirs have ended with the containers, where those of piko connect again.
    open_windows
    ;;
  destroy)
    # Work in files, on a detached HEAD, in submodules; and whether somebody has locked the worktree.
    git -C "$path" status --porcelain
    git -C "$path" symbolic-ref --quiet HEAD >/dev/null
    git -C "$path" ls-files --stage >/dev/null
    git worktree list --porcelain >/dev/null
    compose down --remove-orphans --volumes
    docker image ls --quiet --filter "label=com.docker.compose.project=$project"
    tmux kill-session -t "=$session"
    git worktree remove -- "$path"
    ;;
esac
