/* The operator's first page: what needs a person now, then the fleet at a glance. */
import type { Alarm, AlarmList, Cluster, Overview, UnclassifiedList } from "gen/api";
import { at, query } from "../api";
import { EndDates } from "../components/chart";
import { Notice, Screen, Title } from "../components/screen";
import { distance, moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { both, t, type Key } from "../words";
import { Cas } from "./operator_cas";
import { ForecastPart } from "./operator_forecast";
import { Letters } from "./operator_letters";

const SOON_DAYS = 7;
const SILENT_S = 600; // the watchdog looks each minute
const ACTORS: Record<string, Key> = { owner: "acts.owner", "domain-company": "acts.domain-company", "web-owner": "acts.web-owner", host: "acts.host", nobody: "acts.nobody" };

const many = (n: number) => n.toLocaleString("en");
const age_s = (date: string) => (Date.now() - new Date(date).getTime()) / 1000;

function OpenAlarm({ alarm }: { alarm: Alarm }) {
	return (
		<Notice tone="bad" title={both(alarm.title)}>
			{alarm.since && <p>{t("alarms.since", withDistance(alarm.since))}</p>}
			{alarm.sites > 0 && <p>{t("alarms.sites", many(alarm.sites))}</p>}
			{alarm.seen && (
				<p>
					{t("alarms.seen")} <code>{alarm.seen}</code>
				</p>
			)}
			<p>{both(alarm.todo)}</p>
			<p class="soft">
				<code>{alarm.alarm}</code>
			</p>
		</Notice>
	);
}

function PastAlarms({ past }: { past: Alarm[] }) {
	if (past.length === 0) return null;
	return (
		<details class="paper">
			<summary>
				<h2>{t("alarms.past", past.length)}</h2>
			</summary>
			<ol class="time">
				{past.map((alarm) => (
					<li key={`${alarm.alarm} ${alarm.since}`}>
						<time dateTime={alarm.since ?? undefined}>{alarm.since && moment(alarm.since)}</time>
						<div>
							<div>{both(alarm.title)}</div>
							<div class="soft">{alarm.ended && t("alarms.ended", moment(alarm.ended))}</div>
							{alarm.seen && (
								<div class="soft">
									<code>{alarm.seen}</code>
								</div>
							)}
						</div>
					</li>
				))}
			</ol>
		</details>
	);
}

function Alarms() {
	const alarms = useLoad<AlarmList>("/alarms");
	return (
		<Screen of={alarms}>
			{(value) => {
				const isSilent = !value.looked_at || age_s(value.looked_at) > SILENT_S;
				return (
					<>
						{isSilent && (
							<Notice tone="bad" title={t("alarms.silent")}>
								<p>{value.looked_at ? t("alarms.silent-since", withDistance(value.looked_at)) : t("alarms.silent-ever")}</p>
							</Notice>
						)}
						{value.open.map((alarm) => (
							<OpenAlarm key={alarm.alarm} alarm={alarm} />
						))}
						{value.open.length === 0 && !isSilent && value.looked_at && (
							<Notice tone="ok" title={t("alarms.none")}>
								<p>{t("alarms.looked", withDistance(value.looked_at))}</p>
							</Notice>
						)}
						<PastAlarms past={value.past} />
					</>
				);
			}}
		</Screen>
	);
}

function Tile({ n, label, href, isBad }: { n: number; label: string; href?: string; isBad?: boolean }) {
	const inside = (
		<>
			<b>{many(n)}</b> {label}
		</>
	);
	const tone = n > 0 && isBad ? "is-bad" : "is-idle";
	return href ? (
		<a class={tone} href={href}>
			{inside}
		</a>
	) : (
		<div class={tone}>{inside}</div>
	);
}

function Tiles({ value }: { value: Overview }) {
	return (
		<div class="tiles">
			<Tile n={value.sites.all} label={t("overview.sites")} href="/sites" />
			<Tile n={value.sites.owner} label={t("overview.owner")} href="/sites?show=owner" />
			<Tile n={value.sites.progress} label={t("overview.progress")} href="/sites?show=progress" />
			<Tile n={value.ended} label={t("overview.ended")} isBad />
			<Tile n={value.questions_open} label={t("overview.questions")} href="/questions" />
			<Tile n={value.letters_bounced + value.letters_given_up} label={t("overview.post")} href="#post" />
			<Tile n={value.orders_open} label={t("overview.orders")} />
		</div>
	);
}

function Causes({ causes }: { causes: Cluster[] }) {
	if (causes.length === 0) return <p class="soft">{t("clusters.none")}</p>;
	return (
		<table class="cards">
			<thead>
				<tr>
					<th scope="col">{t("clusters.cause")}</th>
					<th scope="col">{t("clusters.n")}</th>
					<th scope="col">{t("clusters.since")}</th>
					<th scope="col">{t("clusters.acts")}</th>
				</tr>
			</thead>
			<tbody>
				{causes.map((one) => (
					<tr key={one.cause}>
						<th scope="row">
							<div>{both(one.title)}</div>
							<div class="soft">
								<a href={at("help", one.cause)}>
									<code>{one.cause}</code>
								</a>
								{one.site && (
									<>
										{" · "}
										{t("clusters.example")} <a href={at("sites", one.site)}>{one.name}</a>
									</>
								)}
							</div>
						</th>
						<td data-label={t("clusters.n")}>
							<a href={`/sites${query({ cause: one.cause })}`}>
								{many(one.n)}
								<span class="hidden"> {one.cause}</span>
							</a>
						</td>
						<td class="date" data-label={t("clusters.since")}>{one.since && withDistance(one.since)}</td>
						<td data-label={t("clusters.acts")}>{t(ACTORS[one.acts] ?? "acts.nobody")}</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

function Unknown() {
	const texts = useLoad<UnclassifiedList>("/unclassified?limit=20");
	return (
		<section class="paper" aria-labelledby="unknown">
			<h2 id="unknown">{t("operator.unknown")}</h2>
			<Screen of={texts}>
				{(value) =>
					value.texts.length === 0 ? (
						<p class="soft">{t("operator.unknown-none")}</p>
					) : (
						<ol class="time">
							{value.texts.map((one) => (
								<li key={`${one.class} ${one.text}`}>
									<time dateTime={one.last_seen ?? undefined}>{one.last_seen && moment(one.last_seen)}</time>
									<span>
										<code>{one.text}</code> <span class="soft">{t("operator.unknown-times", one.times)}</span>
									</span>
								</li>
							))}
						</ol>
					)
				}
			</Screen>
		</section>
	);
}

function Fleet({ value }: { value: Overview }) {
	return (
		<>
			<Tiles value={value} />
			<section class="paper" aria-labelledby="endings">
				<h2 id="endings">{t("overview.endings")}</h2>
				{value.endings.length === 0 ? <p class="soft">{t("overview.endings-none")}</p> : <EndDates bars={value.endings} soon={SOON_DAYS} />}
			</section>
			<ForecastPart value={value.forecast} />
			<section class="paper" aria-labelledby="clusters">
				<h2 id="clusters">{t("clusters.title")}</h2>
				<Causes causes={value.causes} />
			</section>
		</>
	);
}

export function OperatorPage() {
	const overview = useLoad<Overview>("/overview");
	return (
		<>
			<Title text={t("operator.title")} />
			<Alarms />
			<Screen of={overview}>{(value) => <Fleet value={value} />}</Screen>
			<Cas />
			<Letters />
			<Unknown />
			{overview.value && (
				<p class="soft">
					{t("operator.processes")}{" "}
					{overview.value.processes.map((one) => (
						<span key={one.process}>
							<code>{one.process}</code> {one.at && distance(one.at)}{" "}
						</span>
					))}
				</p>
			)}
		</>
	);
}
