/* Setting up, the draft beside the live setting, and what can be changed. A change is a draft first: what is live stays until it is applied. */
import type { Setting, Site, SitePage } from "gen/api";
import { useState } from "preact/hooks";
import { at, call, expecting } from "../api";
import { ActButton } from "../components/button";
import { moment } from "../dates";
import { t, type Key } from "../words";
import type { Doing } from "./site";

type Change = Partial<Pick<Setting, "coverage" | "redirect" | "hsts">> & { source?: "free" };

/** Puts the change into the draft and makes it live; not over what somebody else has changed since. Whatever comes of it, the page then shows what is. */
async function apply(site: Site, change: Change): Promise<void> {
	const begun = await call<Site>("PUT", at("sites", site.ascii, "draft"), change, expecting(site));
	await call<Site>("POST", at("sites", site.ascii, "draft", "apply"), undefined, expecting(begun));
}

type Coverage = "multi" | "single";

function CoverageChoice({ site, value, set }: { site: Site; value: Coverage; set: (value: Coverage) => void }) {
	const rows: Array<[Coverage, Key, Key]> = [
		["multi", "coverage.multi", "coverage.multi-more"],
		["single", "coverage.single", "coverage.single-more"],
	];
	return (
		<fieldset class="choices">
			<legend class="hidden">{t("coverage.title")}</legend>
			{rows.map(([coverage, title, more]) => (
				<label key={coverage}>
					<input type="radio" name="coverage" checked={value === coverage} onChange={() => set(coverage)} />
					<span>{t(title, site.name)}</span>
					<small>{t(more, site.name)}</small>
				</label>
			))}
		</fieldset>
	);
}

const canChoose = (site: Site) => site.setting.coverage === "multi" || site.setting.coverage === "single";

export function SetUp({ page, again }: { page: SitePage; again: () => void }) {
	const { site } = page;
	const [coverage, setCoverage] = useState<Coverage>("multi");
	return (
		<section class="paper ask" aria-labelledby="set-up">
			<h2 id="set-up">{t("set-up.title")}</h2>
			<p>{t("set-up.intro")}</p>
			{canChoose(site) && <CoverageChoice site={site} value={coverage} set={setCoverage} />}
			<ActButton isFirst act={() => apply(site, { source: "free", ...(canChoose(site) ? { coverage } : {}) }).finally(again)}>
				{t("set-up.begin")}
			</ActButton>
			<p class="soft">{t("set-up.harmless")}</p>
		</section>
	);
}

const SWITCHES: Array<["redirect" | "hsts", Key]> = [
	["redirect", "settings.redirect"],
	["hsts", "settings.hsts"],
];

function differences(now: Setting, then: Setting): string[] {
	const yes = (is: boolean) => t(is ? "settings.on" : "settings.off");
	const rows: string[] = [];
	if (now.source !== then.source) rows.push(t("draft.source", t(`source.${now.source}` as Key), t(`source.${then.source}` as Key)));
	if (now.coverage !== then.coverage) rows.push(t("draft.coverage", t(`coverage.word.${now.coverage}` as Key), t(`coverage.word.${then.coverage}` as Key)));
	for (const [key, words] of SWITCHES) if (now[key] !== then[key]) rows.push(t("draft.switch", t(words), yes(now[key]), yes(then[key])));
	return rows;
}

export function Draft({ page, role, again }: Doing) {
	const { site } = page;
	const [isShown, setShown] = useState(false);
	const draft = site.draft;
	if (!draft) return null;
	const rows = differences(site.setting, draft.setting);
	return (
		<section class="thin" aria-label={t("draft.title")}>
			<span class="prose">{t(draft.has_csr ? "draft.text-csr" : "draft.text", draft.begun_at ? moment(draft.begun_at) : "", draft.begun_by)}</span>
			<span class="end">
				<button type="button" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
					{t("draft.show")}
				</button>
				{role !== "support" && <ActButton act={() => call("DELETE", at("sites", site.ascii, "draft"), undefined, expecting(site)).finally(again)}>{t("draft.discard")}</ActButton>}
			</span>
			{isShown && (
				<div class="stack">
					<ul>{rows.length ? rows.map((row) => <li key={row}>{row}</li>) : <li>{t("draft.same")}</li>}</ul>
					{role !== "support" && draft.setting.source !== "own" && <ActButton act={() => call("POST", at("sites", site.ascii, "draft", "apply"), undefined, expecting(site)).finally(again)}>{t("draft.apply")}</ActButton>}
				</div>
			)}
		</section>
	);
}

function Switch({ words, more, isOn, isOff, change }: { words: string; more: string; isOn: boolean; isOff?: boolean; change: (() => Promise<unknown>) | null }) {
	return (
		<div class="row between">
			<div>
				<strong>{words}</strong>: {t(isOn ? "settings.on" : "settings.off")}
				<div class="soft">{more}</div>
			</div>
			{change && (
				<ActButton act={change} isOff={isOff}>
					{t(isOn ? "settings.turn-off" : "settings.turn-on", words)}
				</ActButton>
			)}
		</div>
	);
}

export function Settings({ page, role, again }: Doing) {
	const { site } = page;
	const { setting } = site;
	const mayChange = role !== "support" && !site.draft && setting.source !== "none";
	const change = (to: Change) => (mayChange ? () => apply(site, to).finally(again) : null);
	const mayRenew = role !== "support" && setting.source === "free" && site.certificate !== null && !site.certificate.own;
	const wider: Coverage = setting.coverage === "single" ? "multi" : "single";
	return (
		<details>
			<summary>
				<h2>{t("settings.title")}</h2>
			</summary>
			<div class="stack">
				{site.draft && <p class="soft">{t("settings.draft-first")}</p>}
				<Switch
					words={t("settings.redirect")}
					more={t(site.redirect === 308 ? "settings.redirect-308" : site.redirect === 307 ? "settings.redirect-307" : setting.redirect ? "settings.redirect-waits" : "settings.redirect-off")}
					isOn={setting.redirect}
					change={change({ redirect: !setting.redirect })}
				/>
				<Switch
					words={t("settings.hsts")}
					more={t(site.hsts ? "settings.hsts-on" : setting.hsts ? "settings.hsts-waits" : site.redirect === 308 ? "settings.hsts-off" : "settings.hsts-not-yet")}
					isOn={setting.hsts}
					isOff={!setting.hsts && site.redirect !== 308}
					change={change({ hsts: !setting.hsts })}
				/>
				{canChoose(site) && (
					<div class="row between">
						<div>
							<strong>{t("coverage.title")}</strong>: {t(setting.coverage === "multi" ? "coverage.word.multi" : "coverage.word.single")}
							<div class="soft">{t("settings.if-changed", t(wider === "single" ? "coverage.single-more" : "coverage.multi-more", site.name))}</div>
						</div>
						{mayChange && (
							<ActButton act={() => apply(site, { coverage: wider }).finally(again)}>{t(wider === "single" ? "coverage.to-single" : "coverage.to-multi")}</ActButton>
						)}
					</div>
				)}
				{mayRenew && (
					<ActButton act={() => call("POST", at("sites", site.ascii, "renew")).finally(again)} worksAt={site.retry_at}>
						{t("settings.renew")}
					</ActButton>
				)}
				{mayRenew && <p class="soft">{t("settings.renew-more")}</p>}
			</div>
		</details>
	);
}
