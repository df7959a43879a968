/*
 * Dates as people read them: with weekday, time and the distance in brackets. The zone is that of the provider, in which the API's own texts
 * and the letters say theirs: two dates on a page never differ for the same moment.
 */
import { lang, t, type Key } from "./words";

const DAY_S = 86400;
let offset_min = 9 * 60;

/** "+09:00" */
export function setTimezone(offset: string): void {
	const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? [];
	if (hours) offset_min = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function parts(at: string) {
	const format = new Intl.DateTimeFormat(lang() === "ja" ? "ja-JP" : "en-GB", {
		timeZone: "UTC",
		year: "numeric",
		month: lang() === "ja" ? "numeric" : "short",
		day: "numeric",
		weekday: "short",
		hour: "2-digit",
		minute: "2-digit",
		hourCycle: "h23",
	});
	return Object.fromEntries(format.formatToParts(new Date(new Date(at).getTime() + offset_min * 60_000)).map((part) => [part.type, part.value])) as Record<string, string>;
}

export function day(at: string): string {
	const p = parts(at);
	return t("date.day", p.year ?? "", p.month ?? "", p.day ?? "", p.weekday ?? "");
}
export function moment(at: string): string {
	const p = parts(at);
	return t("date.moment", day(at), `${p.hour}:${p.minute}`);
}
/** Month and day alone, for charts. */
export function shortDay(at: string): string {
	const p = parts(at);
	return t("date.short", p.month ?? "", p.day ?? "");
}
export function clock(at: string): string {
	const p = parts(at);
	return `${p.hour}:${p.minute}`;
}

/** 90 seconds are "1 minute", 3 days are "3 days". */
export function length(seconds: number): string {
	const units: Array<[number, Key, Key]> = [
		[DAY_S, "unit.day.one", "unit.day.many"],
		[3600, "unit.hour.one", "unit.hour.many"],
		[60, "unit.minute.one", "unit.minute.many"],
		[1, "unit.second.one", "unit.second.many"],
	];
	const [size, one, many] = units.find(([s]) => seconds >= s) ?? [1, "unit.second.one" as Key, "unit.second.many" as Key];
	const n = Math.floor(seconds / size);
	return t(n === 1 ? one : many, n);
}
export function distance(at: string): string {
	const s = (new Date(at).getTime() - Date.now()) / 1000;
	if (Math.abs(s) < 1) return t("distance.now");
	return t(s > 0 ? "distance.in" : "distance.ago", length(Math.abs(s)));
}
/** 「2027年2月10日(水) 14:30(あと20日)」 */
export const withDistance = (at: string): string => t("date.distance", moment(at), distance(at));
/** "UTC+09:00" */
export function timezone(): string {
	const n = Math.abs(offset_min);
	return `UTC${offset_min < 0 ? "-" : "+"}${String(Math.floor(n / 60)).padStart(2, "0")}:${String(n % 60).padStart(2, "0")}`;
}
