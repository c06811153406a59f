// A name that is the same in every language, as a label: for choices found by typing.

export const literal = (name: string) => ({ kk: name, ru: name, en: name });
