# Sourced by the scripts that run tests: `step WHAT` prints how long it took until there.
began=$SECONDS
step() {
  echo "== [$((SECONDS - began)) s] $*"
}
