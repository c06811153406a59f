// The server's clock. Its moment is taken from its answers; between them the browser only counts seconds on.

let base_ms = $state(Date.now());
let base_tick = performance.now();
let tick = $state(performance.now());

setInterval(() => {
  tick = performance.now();
}, 1000);

export function learnNow(now: string): void {
  base_ms = Date.parse(now);
  base_tick = performance.now();
  tick = base_tick;
}

export const clock = {
  get now_ms(): number {
    return base_ms + (tick - base_tick);
  },
  /** Seconds left until `due`; below zero once it has passed. */
  left_s(due: string): number {
    return Math.floor((Date.parse(due) - clock.now_ms) / 1000);
  },
};
