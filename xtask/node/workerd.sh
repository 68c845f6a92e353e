#!/bin/sh
# workerd, tied to the Node process that starts it (Miniflare runs this as MINIFLARE_WORKERD_PATH).
#
# - However Node ends, `kill -9` included, workerd ends with it: on Linux the kernel sees to it, elsewhere a
#   watcher does within half a second.
# - One runtime at a time works on a state directory: the lock is workerd's until it is gone. A successor
#   started at once waits for that; one started beside a living runtime gives up.
#
# PROMO_WORKERD: the real program. PROMO_STATE: the state directory.

if command -v flock >/dev/null; then
  exec 9>"$PROMO_STATE/lock"
  flock --wait 5 9 || { echo "another service is running on the state in $PROMO_STATE" >&2; exit 75; }
fi

if command -v setpriv >/dev/null; then
  # The signal is asked for after the fork, so a parent that died in between is looked for by hand.
  export PROMO_PARENT="$PPID"
  exec setpriv --pdeathsig KILL sh -c '[ "$PPID" = "$PROMO_PARENT" ] && exec "$PROMO_WORKERD" "$@"' workerd "$@"
fi

# A background command's standard input is /dev/null unless it comes by another number.
exec 4<&0
"$PROMO_WORKERD" "$@" <&4 4<&- &
workerd=$!
(
  exec 0</dev/null 1>&0 2>&0 3>&0 4<&-
  while kill -0 "$$" && kill -0 "$PPID" && kill -0 "$workerd"; do sleep 0.5; done
  kill -9 "$workerd"
) &
wait "$workerd"
