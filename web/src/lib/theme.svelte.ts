// Dark, light, or what the system says.

export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'saqshy.theme';

let current = $state<Theme>(THEMES.find((x) => x === localStorage.getItem(KEY)) ?? 'system');
let version = $state(0);

function apply(): void {
  if (current === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = current;
  version += 1;
}
apply();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);

export const theme = {
  get current(): Theme {
    return current;
  },
  /** Changes whenever colours do: canvases redraw by it. */
  get version(): number {
    return version;
  },
};

export function chooseTheme(next: Theme): void {
  current = next;
  localStorage.setItem(KEY, next);
  apply();
}
