/* The operator's first page: what needs a person now, then the CAs with what their limits leave. */
import type { Ca, CaList, DoctorReport, Limit, LimitList, UnclassifiedList } from "gen/api";
import { Notice, Screen, Title } from "../components/screen";
import { moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { t } from "../words";

function isIll(ca: Ca): boolean {
	return ca.breaker !== "closed" || !ca.ready;
}

function Gauge({ limit }: { limit: Limit }) {
	if (limit.allowed === null || limit.left === null) return null;
	const share = Math.min(Math.max(limit.left / limit.allowed, 0), 1);
	return (
		<svg class={`gauge${share < 0.2 ? " low" : ""}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
			<rect class="base" width="100" height="10" rx="3" />
			<rect class="left" width={share * 100} height="10" rx="3" />
		</svg>
	);
}

function Cas() {
	const cas = useLoad<CaList>("/cas");
	return (
		<section class="paper" aria-labelledby="cas">
			<h2 id="cas">{t("operator.cas")}</h2>
			<Screen of={cas}>
				{(value) => (
					<table class="cards">
						<thead>
							<tr>
								<th scope="col">{t("operator.ca")}</th>
								<th scope="col">{t("operator.ca-state")}</th>
								<th scope="col">{t("operator.rehearsal")}</th>
							</tr>
						</thead>
						<tbody>
							{value.cas.map((ca) => (
								<tr key={ca.name}>
									<th scope="row">
										{ca.name} <span class="soft">{ca.position === null ? t("operator.ca-unused") : t("operator.ca-position", ca.position)}</span>
									</th>
									<td data-label={t("operator.ca-state")}>
										<div>
											<span class={isIll(ca) ? "no" : "yes"}>
												<span aria-hidden="true">{isIll(ca) ? "✕ " : "✓ "}</span>
												{!ca.ready ? t("operator.ca-no-account") : ca.breaker === "closed" ? t("operator.ca-well") : t("operator.ca-ill", ca.ill_since ? moment(ca.ill_since) : "")}
											</span>
											{ca.error && <div class="soft">{ca.error}</div>}
											{ca.not_before && <div class="soft">{t("operator.ca-next", withDistance(ca.not_before))}</div>}
										</div>
									</td>
									<td data-label={t("operator.rehearsal")}>{ca.rehearsal.at ? `${ca.rehearsal.ok ? "✓" : "✕"} ${moment(ca.rehearsal.at)}` : "–"}</td>
								</tr>
							))}
						</tbody>
					</table>
				)}
			</Screen>
		</section>
	);
}

function Limits() {
	const limits = useLoad<LimitList>("/limits");
	return (
		<section class="paper" aria-labelledby="limits">
			<h2 id="limits">{t("operator.limits")}</h2>
			<Screen of={limits}>
				{(value) =>
					value.limits.length === 0 ? (
						<p class="soft">{t("operator.limits-full")}</p>
					) : (
						<table class="cards">
							<thead>
								<tr>
									<th scope="col">{t("operator.limit")}</th>
									<th scope="col">{t("operator.left")}</th>
									<th scope="col">{t("operator.limit-next")}</th>
								</tr>
							</thead>
							<tbody>
								{value.limits.map((limit) => (
									<tr key={`${limit.ca} ${limit.limit} ${limit.subject}`}>
										<th scope="row">
											{limit.ca}: {limit.limit} <span class="soft">{limit.subject}</span>
										</th>
										<td data-label={t("operator.left")}>
											<div>
												{t("operator.left-of", limit.left ?? "–", limit.allowed ?? "–")}
												<div>
													<Gauge limit={limit} />
												</div>
											</div>
										</td>
										<td data-label={t("operator.limit-next")}>{limit.next ? withDistance(limit.next) : "–"}</td>
									</tr>
								))}
							</tbody>
						</table>
					)
				}
			</Screen>
		</section>
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

export function OperatorPage() {
	const report = useLoad<DoctorReport>("/doctor");
	return (
		<>
			<Title text={t("operator.title")} />
			<Screen of={report}>
				{(value) =>
					value.ok ? (
						<Notice tone="ok" title={t("operator.all-well", value.sites)}>
							<p>{t("operator.all-well-more")}</p>
						</Notice>
					) : (
						<Notice tone="bad" title={t("operator.broken", value.broken.length)}>
							<ul>
								{value.broken.map((line) => (
									<li key={line}>
										<code>{line}</code>
									</li>
								))}
							</ul>
						</Notice>
					)
				}
			</Screen>
			<p>
				<a href="/sites?show=owner">{t("operator.need-owner")}</a>
			</p>
			<Cas />
			<Limits />
			<Unknown />
		</>
	);
}
