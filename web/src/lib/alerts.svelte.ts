// How a new duty makes itself known besides the page: a sound, the title of the window. Off until somebody on duty wants them; kept in this browser.

// i18n: ui.alerts.*
export const ALERTS = ['sound', 'title'] as const;
export type Alert = (typeof ALERTS)[number];
const KEY = 'saqshy.alert.';

const on = $state<Record<Alert, boolean>>({ sound: localStorage.getItem(`${KEY}sound`) === 'on', title: localStorage.getItem(`${KEY}title`) === 'on' });

export const alerts = {
  get sound(): boolean {
    return on.sound;
  },
  get title(): boolean {
    return on.title;
  },
};

export function setAlert(which: Alert, value: boolean): void {
  on[which] = value;
  localStorage.setItem(`${KEY}${which}`, value ? 'on' : 'off');
  // The browser lets a page sound only after a hand has moved: the choice itself is that moment, and is heard.
  if (which === 'sound' && value) sound();
}

let context: AudioContext | null = null;
/** Two short tones, no file. */
export function sound(): void {
  context ??= new AudioContext();
  const gain = context.createGain();
  gain.gain.value = 0.15;
  gain.connect(context.destination);
  for (const [i, hz] of [660, 880].entries()) {
    const tone = context.createOscillator();
    tone.frequency.value = hz;
    tone.connect(gain);
    tone.start(context.currentTime + i * 0.18);
    tone.stop(context.currentTime + i * 0.18 + 0.15);
  }
}
