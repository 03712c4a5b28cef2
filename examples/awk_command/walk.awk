# Gradient descent on x*x/2 from x = 1 with noisy gradients, in awk. What attnstudy tells a command is
# in its environment; what the command keeps in checkpoint/ is there when it is tried once more.

# A generator of its own (Park and Miller): the one of awk has a state that cannot be written down.
function uniform() { state = (16807 * state) % 2147483647; return state / 2147483647 }

BEGIN {
  dir = ENVIRON["ATTNSTUDY_RUN_DIR"]
  curves = dir "/metrics.jsonl"
  kept = dir "/checkpoint/state"
  system("mkdir -p '" dir "/checkpoint'")

  t = 0; x = 1; state = seed * 48271 + 1
  if ((getline line < kept) > 0) { split(line, was, " "); t = was[1]; x = was[2]; state = was[3] }

  for (; t < steps; t++) {
    x -= step * (x + 4 * (uniform() - 0.5))
    printf "{\"step\": %d, \"x\": %.17g}\n", t, x >> curves
    fflush(curves)
    # first beside it, then renamed: whoever is killed meanwhile leaves the state before
    printf "%d %.17g %d\n", t + 1, x, state > (kept ".new")
    close(kept ".new")
    system("mv '" kept ".new' '" kept "'")
  }

  printf "{\"distance\": %.17g}\n", (x < 0 ? -x : x) > (dir "/metrics.json")
}
