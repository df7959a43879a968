/* Texts in the language of the reader. All of them are made from words/ by the build; this file only picks and fills. */
import { causeTitles, texts, type Key } from "gen/panel_words";
import type { Text } from "gen/api";

export type Lang = "ja" | "en";
export type { Key };

const KEPT_AS = "koshin-language";

function atFirst(): Lang {
	const kept = localStorage.getItem(KEPT_AS);
	if (kept === "ja" || kept === "en") return kept;
	return navigator.language.startsWith("ja") ? "ja" : "en";
}

let now: Lang = atFirst();
let changed: () => void = () => undefined;

export const lang = (): Lang => now;

/** Calls back whenever everything has to be drawn again in another language. */
export function onLang(callback: () => void): void {
	changed = callback;
}

/** isKept: the reader chose it, and this browser remembers. */
export function setLang(to: Lang, isKept: boolean): void {
	if (isKept) localStorage.setItem(KEPT_AS, to);
	if (to === now) return;
	now = to;
	document.documentElement.lang = to;
	changed();
}
export const hasChosenLang = (): boolean => localStorage.getItem(KEPT_AS) !== null;

/** A text with {0}, {1} … filled in. */
export function t(key: Key, ...values: Array<string | number>): string {
	return texts[key][now].replace(/\{(\d)\}/g, (_, n: string) => String(values[Number(n)] ?? ""));
}
/** A text that the API gives in both languages. */
export const both = (text: Text): string => text[now];
/** The same from words of the panel, where one of the API stands otherwise. */
export const pairOf = (key: Key): Text => texts[key];
export const hasText = (key: string): key is Key => key in texts;

/** One line for a cause, about a name. An id that this version of the panel does not know stands for itself. */
export function causeTitle(id: string, name: string): string {
	const title = causeTitles[id];
	return title ? title[now].replaceAll("{name}", name) : id;
}
