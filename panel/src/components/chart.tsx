/* Charts for where a person would rather look than read. Each says its numbers in words, too. */
import { useNarrow } from "../narrow";
import { t } from "../words";

export type Bar = { days: number; n: number };
type DaysProps = {
	bars: Bar[]; // days that have any, earliest first
	last: number;
	tone: (days: number) => "bad" | "act" | "ok" | "run";
	say: string;
	today: string;
	limit?: number | null; // of one day
};

const WIDE = { width: 900, height: 170, left: 8, foot: 36, head: 34, tickRoom: 90, edge: 50 };
const NARROW = { width: 340, height: 190, left: 2, foot: 30, head: 30, tickRoom: 70, edge: 24 };
const TICKS = [0, 7, 14, 30, 60, 90, 120];
const LIMIT_SEEN = 3; // a limit that is further above the highest day would leave of the days nothing to see

const isDrawn = (limit: number, bars: Bar[]) => limit <= Math.max(...bars.map((bar) => bar.n)) * LIMIT_SEEN;

/** How many on each day from today on. */
function Days({ bars, last, tone, say, today, limit }: DaysProps) {
	const highest = bars.reduce<Bar | null>((best, bar) => (best && best.n >= bar.n ? best : bar), null);
	const most = Math.max(1, highest?.n ?? 0);
	const line = limit && isDrawn(limit, bars) ? limit : null;
	const { width, height, left, foot, head, tickRoom, edge } = useNarrow() ? NARROW : WIDE;
	const top = Math.max(most, line ?? 0);
	const step = (width - 2 * left) / (last + 1);
	const floor = height - foot;
	const x = (days: number) => left + days * step;
	const y = (n: number) => floor - Math.max((n / top) * (floor - head), 2);
	const ticks = TICKS.filter((days) => days <= last).reduce<number[]>((kept, days) => (kept.length && x(days) - x(kept[kept.length - 1] ?? 0) < tickRoom ? kept : [...kept, days]), []);
	/* Above its bar; at an edge it ends with it, so that a long one is not cut off. */
	const at = highest ? x(highest.days) + step / 2 : 0;
	const anchor = at < edge ? "start" : at > width - edge ? "end" : "middle";
	return (
		<svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={say}>
			{bars.map((bar) => (
				<rect key={bar.days} class={tone(bar.days)} x={x(bar.days) + step * 0.1} y={y(bar.n)} width={step * 0.8} height={floor - y(bar.n)} rx={Math.min(2, step * 0.2)} />
			))}
			<line x1={left} y1={floor} x2={width - left} y2={floor} />
			{line !== null && <line class="limit" x1={left} y1={y(line)} x2={width - left} y2={y(line)} />}
			{highest && (
				<text class="value" x={at + (anchor === "start" ? -step / 2 : anchor === "end" ? step / 2 : 0)} y={y(highest.n) - 8} text-anchor={anchor}>
					{highest.n.toLocaleString("en")}
				</text>
			)}
			{ticks.map((days) => (
				<text key={days} x={Math.min(x(days) + step / 2, width - edge)} y={height - 8} text-anchor={days === 0 ? "start" : "middle"}>
					{days === 0 ? today : t("overview.in-days", days)}
				</text>
			))}
		</svg>
	);
}

const sum = (bars: Bar[]) => bars.reduce((n, bar) => n + bar.n, 0);

/** Certificates by the day of their end. */
export function EndDates({ bars, soon }: { bars: Bar[]; soon: number }) {
	return (
		<Days
			bars={bars}
			last={Math.max(30, ...bars.map((bar) => bar.days))}
			tone={(days) => (days === 0 ? "bad" : days < soon ? "act" : "ok")}
			say={t("overview.endings-say", sum(bars), sum(bars.filter((bar) => bar.days < soon)), soon)}
			today={t("overview.today")}
		/>
	);
}

/** Renewals by the day on which they come due, and how much a day may bring, if that is known. */
export function Renewals({ bars, limit }: { bars: Bar[]; limit: number | null }) {
	return (
		<figure>
			<Days bars={bars} last={30} tone={() => "run"} say={t("forecast.say", sum(bars).toLocaleString("en"))} today={t("forecast.today")} limit={limit} />
			{limit && isDrawn(limit, bars) && <figcaption class="soft">{t("forecast.line", limit.toLocaleString("en"))}</figcaption>}
		</figure>
	);
}

/** A part of a whole; it turns when little is left. */
export function Gauge({ used, of }: { used: number; of: number }) {
	const share = Math.min(Math.max(used / Math.max(of, 1), 0), 1);
	return (
		<svg class={`gauge${share > 0.8 ? " low" : ""}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
			<rect class="base" width="100" height="10" rx="3" />
			<rect class="left" width={share * 100} height="10" rx="3" />
		</svg>
	);
}
