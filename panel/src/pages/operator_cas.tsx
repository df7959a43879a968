/* CAs, and how much of their limits is used up. */
import { at, call } from "../api";
import type { Ca, CaList, Limit, LimitList } from "gen/api";
import { ActButton } from "../components/button";
import { Gauge } from "../components/chart";
import { Screen } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { hasText, t } from "../words";

function isIll(ca: Ca): boolean {
	return ca.breaker !== "closed" || !ca.ready;
}

/** A limit's own word stands beside, for the documents of the CA. */
function nameOf(limit: string): string {
	const key = `limit.${limit}`;
	return hasText(key) ? t(key) : limit;
}

function LimitRow({ limit }: { limit: Limit }) {
	const isKnown = limit.allowed !== null && limit.left !== null;
	const used = (limit.allowed ?? 0) - (limit.left ?? 0);
	return (
		<tr>
			<th scope="row">
				{nameOf(limit.limit)} <code class="soft">{limit.subject}</code>
			</th>
			<td data-label={t("operator.used")}>
				<div>
					{isKnown ? t("operator.used-of", used, limit.allowed ?? 0) : t("operator.used-unknown")}
					{isKnown && (
						<div>
							<Gauge used={used} of={limit.allowed ?? 0} />
						</div>
					)}
				</div>
			</td>
			<td data-label={t("operator.limit-next")}>{limit.next ? withDistance(limit.next) : t("operator.at-once")}</td>
		</tr>
	);
}

function Limits({ ca, limits }: { ca: Ca; limits: Limit[] }) {
	if (limits.length === 0) return <p class="soft">{t("operator.limits-full")}</p>;
	return (
		<table class="cards">
			<caption class="hidden">{t("operator.limits-of", ca.name)}</caption>
			<thead>
				<tr>
					<th scope="col">{t("operator.limit")}</th>
					<th scope="col">{t("operator.used")}</th>
					<th scope="col">{t("operator.limit-next")}</th>
				</tr>
			</thead>
			<tbody>
				{limits.map((limit) => (
					<LimitRow key={`${limit.limit} ${limit.subject}`} limit={limit} />
				))}
			</tbody>
		</table>
	);
}

/** A date stands behind what began then. */
function health(ca: Ca): string {
	if (ca.blocked_since) return t("operator.ca-blocked", moment(ca.blocked_since));
	if (!ca.ready) return t("operator.ca-no-account");
	return ca.breaker === "closed" ? t("operator.ca-well") : t("operator.ca-ill", ca.ill_since ? moment(ca.ill_since) : "");
}

/** What only a person can end, after a word with the CA. */
function Blocked({ ca, again }: { ca: Ca; again: () => void }) {
	const lift = async () => {
		await call("POST", at("cas", ca.name, "unblock"));
		again();
	};
	if (ca.unblock_asked) return <p>{t("operator.unblock-asked")}</p>;
	return (
		<div class="stack">
			<p>{t("operator.ca-blocked-todo")}</p>
			<ActButton act={lift}>{t("operator.unblock")}</ActButton>
		</div>
	);
}

function CaCard({ ca, limits, again }: { ca: Ca; limits: Limit[]; again: () => void }) {
	return (
		<section class="stack" aria-labelledby={`ca-${ca.name}`}>
			<div class="head">
				<h3 id={`ca-${ca.name}`}>{ca.name}</h3>
				<span class={isIll(ca) ? "no" : "yes"}>
					<span aria-hidden="true">{isIll(ca) ? "✕ " : "✓ "}</span>
					{health(ca)}
				</span>
				<span class="soft">{ca.position === null ? t("operator.ca-unused") : t("operator.ca-position", ca.position)}</span>
			</div>
			{ca.error && (
				<p class="soft">
					<code>{ca.error}</code>
				</p>
			)}
			{ca.blocked_since && <Blocked ca={ca} again={again} />}
			{ca.not_before && <p class="soft">{t("operator.ca-next", withDistance(ca.not_before))}</p>}
			{ca.rehearsal.at && <p class="soft">{t(ca.rehearsal.ok ? "operator.rehearsal-ok" : "operator.rehearsal-failed", moment(ca.rehearsal.at))}</p>}
			<Limits ca={ca} limits={limits} />
		</section>
	);
}

export function Cas() {
	const cas = useLoad<CaList>("/cas");
	const limits = useLoad<LimitList>("/limits");
	return (
		<section class="paper" aria-labelledby="cas">
			<h2 id="cas">{t("operator.cas")}</h2>
			<Screen of={cas}>
				{(value) => (
					<Screen of={limits}>
						{(all) => (
							<>
								{value.cas.length === 0 && <p class="soft">{t("operator.cas-none")}</p>}
								{value.cas.map((ca) => (
									<CaCard key={ca.name} ca={ca} again={cas.again} limits={all.limits.filter((limit) => limit.ca === ca.name)} />
								))}
							</>
						)}
					</Screen>
				)}
			</Screen>
		</section>
	);
}
