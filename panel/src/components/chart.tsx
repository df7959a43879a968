/* Charts for where a person would rather look than read. Each says its numbers in words, too. */
import { t } from "../words";

export type Bar = { days: number; n: number };

const WIDTH = 900;
const HEIGHT = 170;
const LEFT = 8;
const FOOT = 36;
const HEAD = 34;
const TICKS = [0, 7, 14, 30, 60, 90, 120];
const TICK_ROOM = 150; // for its words, also where they are drawn larger on a phone

/** How many end on each day from today on. bars: those that have any, earliest first. */
export function EndDates({ bars, soon }: { bars: Bar[]; soon: number }) {
	const last = Math.max(30, ...bars.map((bar) => bar.days));
	const most = Math.max(1, ...bars.map((bar) => bar.n));
	const step = (WIDTH - 2 * LEFT) / (last + 1);
	const floor = HEIGHT - FOOT;
	const x = (days: number) => LEFT + days * step;
	const ticks = TICKS.filter((days) => days <= last).reduce<number[]>((kept, days) => (kept.length && x(days) - x(kept[kept.length - 1] ?? 0) < TICK_ROOM ? kept : [...kept, days]), []);
	const highest = bars.find((bar) => bar.n === most);
	/* Above its bar; at an edge it ends with it, so that a long one is not cut off. */
	const at = highest ? x(highest.days) + step / 2 : 0;
	const anchor = at < 60 ? "start" : at > WIDTH - 60 ? "end" : "middle";
	const soonest = bars.filter((bar) => bar.days < soon).reduce((sum, bar) => sum + bar.n, 0);
	return (
		<svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("overview.endings-say", bars.reduce((sum, bar) => sum + bar.n, 0), soonest, soon)}>
			{bars.map((bar) => {
				const height = Math.max((bar.n / most) * (floor - HEAD), 2);
				return (
					<rect
						key={bar.days}
						class={bar.days === 0 ? "bad" : bar.days < soon ? "act" : "ok"}
						x={x(bar.days) + step * 0.1}
						y={floor - height}
						width={step * 0.8}
						height={height}
						rx={Math.min(2, step * 0.2)}
					/>
				);
			})}
			<line x1={LEFT} y1={floor} x2={WIDTH - LEFT} y2={floor} />
			{highest && (
				<text class="value" x={at + (anchor === "start" ? -step / 2 : anchor === "end" ? step / 2 : 0)} y={HEAD - 8} text-anchor={anchor}>
					{highest.n.toLocaleString("en")}
				</text>
			)}
			{ticks.map((days) => (
				<text key={days} x={Math.min(x(days) + step / 2, WIDTH - 50)} y={HEIGHT - 8} text-anchor={days === 0 ? "start" : "middle"}>
					{days === 0 ? t("overview.today") : t("overview.in-days", days)}
				</text>
			))}
		</svg>
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
