/* The page of a site. First what visitors see, until when, and what to do; all else stands below. It goes on by itself while it is open. */
import type { Finding, Site, SitePage as Page } from "gen/api";
import { useState } from "preact/hooks";
import { at, call } from "../api";
import { ActButton } from "../components/button";
import { Copy } from "../components/copy";
import { LifeBar } from "../components/life";
import { Screen, Title, Notice } from "../components/screen";
import { Mark, toneOf } from "../components/state";
import { differs, Todo } from "../components/todo";
import { Undelivered } from "../components/undelivered";
import { Warned } from "../components/warned";
import { useLive } from "../live";
import { useLoad } from "../load";
import type { Role } from "../session";
import { later } from "../later";
import { both, t } from "../words";
import { Checks } from "./site_checks";
import { Draft, Settings, SetUp } from "./site_settings";
import { Export, GivenUp, GivingUp, StartOver } from "./site_giving_up";
import { Progress } from "./site_progress";
import { Ask, isForPeople, Letters } from "./site_support";
import { Timeline } from "./site_timeline";

const OwnForms = later(() => import("./site_own").then((module) => module.OwnForms));

export type Doing = { page: Page; role: Role; again: () => void };

function Band({ page }: { page: Page }) {
	const { site, lines } = page;
	const tone = toneOf(site.state);
	const life = site.certificate;
	const warned = tone === "bad" ? site.names.find((name) => name.wanted && name.visitors === "warning") : undefined;
	return (
		<section class={`band is-${tone}`} aria-live="polite" aria-labelledby="headline">
			<div class="now">
				<Mark tone={tone} />
				<h2 id="headline">{both(site.headline)}</h2>
			</div>
			{warned && <Warned name={warned.name} />}
			<dl>
				{lines.map((line) => (
					<div key={line.row}>
						<dt>{both(line.label)}</dt>
						<dd>{line.row === "help" ? <a href="#ask">{both(line.text)}</a> : both(line.text)}</dd>
					</div>
				))}
			</dl>
			{life?.not_before && life.not_after && <LifeBar from={life.not_before} to={life.not_after} renewal={site.state === "moved" ? null : (site.renewal?.at ?? null)} />}
		</section>
	);
}

/** Other names with the same cause, each with values of its own to enter. */
const alsoOf = (site: Site, cause: Finding): Finding[] =>
	site.names
		.flatMap((name) => name.findings)
		.filter((one) => one.cause === cause.cause && one.subject !== cause.subject && isForPeople(one) && differs(both(one.action), both(cause.action)));

/** The one thing to do, with the one button in its last step. */
function WhatToDo({ page, role, again }: Doing) {
	const { site, button } = page;
	const cause = site.cause;
	const isAsked = site.asked.check || site.asked.renew;
	const press = button && button.action !== "draft_put" && (
		<div class="stack">
			{cause && isForPeople(cause) && button.action === "site_check_again" && <p>{t("todo.come-back")}</p>}
			{button.action === "site_renew" && <p>{t("todo.renew-what")}</p>}
			<ActButton
				isFirst
				worksAt={button.works_at}
				act={() =>
					(button.action === "own_end" ? call("DELETE", at("sites", site.ascii, "own")) : call("POST", at("sites", site.ascii, button.action === "site_renew" ? "renew" : "check"))).then(again)
				}
			>
				{both(button.text)}
			</ActButton>
			{(isAsked || button.action !== "own_end") && <p class="soft">{t(isAsked ? "todo.asked" : "todo.no-harm")}</p>}
		</div>
	);
	if (button?.action === "draft_put") return role === "support" ? null : <SetUp page={page} again={again} />;
	if (!cause || !isForPeople(cause)) return press ? <section class="paper">{press}</section> : null;
	const isUrgent = site.state === "expired" || site.state === "broken";
	return (
		<section class={`paper ask${isUrgent ? " is-urgent" : ""}`} aria-labelledby="todo">
			<h2 id="todo" tabIndex={-1}>{t(site.state === "moved" ? "todo.title-moved" : "todo.title", both(cause.title))}</h2>
			<p class="soft">{t(cause.who === "owner" ? "todo.who-owner" : cause.who === "web-owner" ? "todo.who-web" : "todo.who-domain", cause.company || t("todo.company"))}</p>
			<Todo text={both(cause.action)} copy={cause.action.copy} also={alsoOf(site, cause).map((one) => ({ name: one.subject, text: both(one.action), copy: one.action.copy }))}>
				{press}
			</Todo>
			<p class="soft">
				{both(cause.next)} <strong>{t("todo.no-delete")}</strong>
			</p>
			<ToSend finding={cause} />
		</section>
	);
}

/** What one can send to the company that answers for the DNS. */
function ToSend({ finding }: { finding: Finding }) {
	if (finding.who !== "domain-company" || !finding.action.copy) return null;
	const text = [t("to-send.ask", finding.subject), "", finding.action.copy, "", t("to-send.seen", finding.seen || t("to-send.nothing")), t("to-send.why")].join("\n");
	return (
		<details>
			<summary>{t("to-send.title")}</summary>
			<pre class="paper">{text}</pre>
			<p class="row">
				<Copy value={text} what={t("to-send.what")} />
			</p>
		</details>
	);
}

/** What else was noticed, each with what it means. */
function Others({ site }: { site: Site }) {
	const { cause } = site;
	const told = cause ? [cause, ...alsoOf(site, cause)] : [];
	const all = site.names.flatMap((name) => name.findings).filter((finding) => !told.some((one) => finding.cause === one.cause && finding.subject === one.subject));
	if (all.length === 0) return null;
	return (
		<section class="paper" aria-labelledby="others">
			<h2 id="others">{t("others.title")}</h2>
			{all.map((finding) => (
				<details key={`${finding.cause} ${finding.subject}`}>
					<summary>{both(finding.title)}</summary>
					<div class="stack">
						<p class="prose">{both(finding.visitors)}</p>
						<p class="prose">{both(finding.explanation)}</p>
						<Todo text={both(finding.action)} copy={finding.action.copy} />
						<p class="soft">{both(finding.next)}</p>
					</div>
				</details>
			))}
		</section>
	);
}

/** Complete and copyable: for support, and for the company of the domain. */
function Technical({ page }: { page: Page }) {
	const { site } = page;
	const text = [
		...site.names.map((name) => `${name.ascii}: ${name.visitors}${name.served ? `, ${name.served.not_after ?? ""} ${name.served.fingerprint ?? ""}` : ""}`),
		...site.names.flatMap((name) => name.findings).flatMap((finding) => [
			"",
			`${finding.cause} ${finding.subject} ${finding.first_seen ?? ""}`,
			...(finding.seen ? [`seen: ${finding.seen}`] : []),
			...(finding.wanted ? [`wanted: ${finding.wanted}`] : []),
			...finding.evidence,
		]),
	].join("\n");
	return (
		<details>
			<summary>
				<h2>{t("technical.title")}</h2>
			</summary>
			<div class="stack">
				<pre>{text}</pre>
				<p class="row">
					<Copy value={text} what={t("technical.what")} />
				</p>
			</div>
		</details>
	);
}

/** What is needed by few is fetched when it is opened. */
function Own(doing: Doing) {
	const [isOpen, setOpen] = useState(false);
	return (
		<details onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>
				<h2>{t("own.title")}</h2>
			</summary>
			{isOpen && <OwnForms {...doing} />}
		</details>
	);
}

export function SitePage({ name, role }: { name: string; role: Role }) {
	const page = useLoad<Page>(at("sites", name, "page"));
	const [news, setNews] = useState(0);
	const isUp = useLive(at("sites", name, "events"), () => {
		page.again();
		setNews((n) => n + 1);
	});
	return (
		<Screen of={page}>
			{(value) => {
				const { site } = value;
				const others = site.names.filter((one) => one.name !== site.name).map((one) => one.name);
				const doing = { page: value, role, again: page.again };
				return (
					<>
						{role !== "owner" && (
							<p>
								<a href="/sites">{t("site.all")}</a>
							</p>
						)}
						<Title text={site.name}>{others.length > 0 && <p>{t("site.together", others.join(t("site.separator")))}</p>}</Title>
						{!isUp && <Notice tone="idle" title={t("site.not-live")} />}
						<Band page={value} />
						{role === "owner" && <Undelivered />}
						<GivenUp {...doing} />
						<Draft {...doing} />
						<WhatToDo {...doing} />
						<Progress site={site} timeline={value.timeline} />
						<Others site={site} />
						<Checks page={value} />
						<Timeline timeline={value.timeline} />
						<section class="paper">
							<Settings {...doing} />
							{role !== "support" && site.setting.source !== "own" && <StartOver {...doing} />}
							{role !== "support" && <Own {...doing} />}
							{role === "owner" && <Export {...doing} />}
							{role !== "support" && <GivingUp {...doing} />}
							<Technical page={value} />
							<Letters name={site.ascii} news={news} />
						</section>
						<Ask name={site.ascii} cause={site.cause} news={news} />
					</>
				);
			}}
		</Screen>
	);
}
