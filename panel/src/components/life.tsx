/* The life of a certificate as a bar: issued, today, renewal, end. */
import { day, shortDay } from "../dates";
import { useNarrow } from "../narrow";
import { t } from "../words";

type Props = { from: string; to: string; renewal: string | null };

const LEFT = 4;
const WIDE = { width: 600, height: 70, room: 150 };
const NARROW = { width: 320, height: 64, room: 112 }; // room: of the words at either end

export function LifeBar({ from, to, renewal }: Props) {
	const begin = new Date(from).getTime();
	const whole = Math.max(new Date(to).getTime() - begin, 1);
	const { width, height, room } = useNarrow() ? NARROW : WIDE;
	const length = width - 2 * LEFT;
	const x = (at: number) => LEFT + Math.min(Math.max((at - begin) / whole, 0), 1) * length;
	const now = x(Date.now());
	const next = renewal ? x(new Date(renewal).getTime()) : null;
	const isInside = (at: number) => at > room && at < width - room;
	return (
		<svg
			class="life"
			viewBox={`0 0 ${width} ${height}`}
			role="img"
			aria-label={renewal ? t("life.all", day(from), day(renewal), day(to)) : t("life.no-renewal", day(from), day(to))}
		>
			<rect class="base" x={LEFT} y="26" width={length} height="10" rx="5" />
			<rect class="gone" x={LEFT} y="26" width={now - LEFT} height="10" rx="5" />
			{next !== null && <rect class="window" x={next - 5} y="23" width="10" height="16" rx="2" />}
			<circle class="dot" cx={now} cy="31" r="8" />
			<text x={LEFT} y={height - 8}>
				{t("life.from", shortDay(from))}
			</text>
			{next !== null && isInside(next) && (
				<text x={next} y={height - 8} text-anchor="middle">
					{t("life.renewal")}
				</text>
			)}
			<text x={LEFT + length} y={height - 8} text-anchor="end">
				{t("life.to", shortDay(to))}
			</text>
			<text class="today" x={Math.min(Math.max(now, 30), width - 30)} y="15" text-anchor="middle">
				{t("life.now")}
			</text>
		</svg>
	);
}
