/* What is to be renewed in the days to come, beside what the CAs take a day. */
import type { DailyLimit, Forecast, Renewals as Day } from "gen/api";
import { Renewals } from "../components/chart";
import { day, moment } from "../dates";
import { t } from "../words";

const many = (n: number) => n.toLocaleString("en");

function Limit({ limit, most }: { limit: DailyLimit; most: number }) {
	if (limit.new_orders === null) return <p class="soft">{t("forecast.no-limit", limit.ca)}</p>;
	return (
		<p>
			{t("forecast.limit", limit.ca, many(limit.new_orders))} {t(most > limit.new_orders ? "forecast.over" : "forecast.within")}
		</p>
	);
}

function Table({ days }: { days: Day[] }) {
	return (
		<details>
			<summary>{t("forecast.table")}</summary>
			<table>
				<thead>
					<tr>
						<th scope="col">{t("forecast.day")}</th>
						<th scope="col">{t("forecast.n")}</th>
					</tr>
				</thead>
				<tbody>
					{days.map((one) => (
						<tr key={one.day}>
							<th scope="row">{day(one.day)}</th>
							<td>{many(one.n)}</td>
						</tr>
					))}
				</tbody>
			</table>
		</details>
	);
}

function Counted({ value, at }: { value: Forecast; at: string }) {
	const busiest = value.days.reduce<Day | null>((best, one) => (best && best.n >= one.n ? best : one), null);
	return (
		<>
			{busiest ? (
				<>
					<Renewals bars={value.days} limit={value.limits[0]?.new_orders ?? null} />
					<p>{t("forecast.busiest", day(busiest.day), many(busiest.n))}</p>
				</>
			) : (
				<p>{t("forecast.none")}</p>
			)}
			{value.limits.map((limit) => (
				<Limit key={limit.ca} limit={limit} most={busiest?.n ?? 0} />
			))}
			{value.due > 0 && <p>{t("forecast.due", many(value.due))}</p>}
			{value.later > 0 && <p>{t("forecast.later", many(value.later))}</p>}
			{busiest && <Table days={value.days} />}
			<p class="soft">{t("forecast.at", moment(at))}</p>
		</>
	);
}

export function ForecastPart({ value }: { value: Forecast }) {
	return (
		<section class="paper" aria-labelledby="forecast">
			<h2 id="forecast">{t("forecast.title")}</h2>
			{value.at ? <Counted value={value} at={value.at} /> : <p class="soft">{t("forecast.not-counted")}</p>}
		</section>
	);
}
