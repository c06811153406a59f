// How verdicts look; never by colour alone.
export const TONES = {
  match: ['calm', 'done'], differs: ['late', 'late'], missing: ['late', 'late'], not_watched: ['plain', 'none'], not_comparable: ['soon', 'soon'],
  expected: ['calm', 'done'], otherwise: ['late', 'late'], told: ['plain', 'none'], unknown: ['soon', 'soon'],
} as const;
