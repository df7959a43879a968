/*
 * A certificate of the owner's own: a request to buy one with, the file that came, judged before it is used, and the way back to free SSL.
 * A key that is in the file goes to the API and nowhere else, and is forgotten here once it was taken.
 */
import type { Csr, CsrList, OwnVerdict, Setting, Site } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call } from "../api";
import { ActButton } from "../components/button";
import { Copy } from "../components/copy";
import { Field } from "../components/field";
import { Notice, Screen } from "../components/screen";
import { Todo } from "../components/todo";
import { day, moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { both, t } from "../words";
import type { Doing } from "./site";

const path = (site: Site, ...more: string[]) => at("sites", site.ascii, ...more);

/* --- in use --- */

async function agree(site: Site, takeover: boolean): Promise<void> {
	const change: Partial<Setting> = { takeover };
	await call("PUT", path(site, "draft"), change);
	await call("POST", path(site, "draft", "apply"));
}

function InUse({ page, again }: Doing) {
	const { site } = page;
	const end = site.certificate?.not_after;
	return (
		<section class="stack">
			<h3>{t("own.in-use")}</h3>
			{site.certificate?.own && end && <p class="prose">{t("own.in-use-until", withDistance(end))}</p>}
			<p class="prose">{t(site.setting.takeover ? "own.takeover-is-on" : "own.takeover-is-off")}</p>
			{!site.draft && (
				<ActButton act={() => agree(site, !site.setting.takeover).then(again)}>{t(site.setting.takeover ? "own.takeover-stop" : "own.takeover-start")}</ActButton>
			)}
			<p class="prose">{t("own.to-free-what")}</p>
			<ActButton act={() => call("DELETE", path(site, "own")).then(again)}>{t("own.to-free")}</ActButton>
		</section>
	);
}

/* --- requests --- */

function Request({ site, csr, set }: { site: Site; csr: Csr; set: (list: CsrList) => void }) {
	const discard = () => call<CsrList>("DELETE", `${path(site, "csr")}?id=${csr.id}`).then(set);
	const title = csr.created ? moment(csr.created) : String(csr.id);
	return (
		<li class="stack">
			<strong>{t("own.csr-made", title)}</strong>
			<span class="soft">{csr.answered ? t("own.csr-answered", day(csr.answered)) : t("own.csr-waits", csr.ends ? day(csr.ends) : "")}</span>
			<pre class="paper" tabIndex={0} aria-label={t("own.csr-made", title)}>
				{csr.pem}
			</pre>
			<p class="row">
				<Copy value={csr.pem} what={t("own.csr-copy")} />
			</p>
			<details>
				<summary>{t("own.csr-discard")}</summary>
				<div class="stack">
					<p class="prose">{t("own.csr-discard-what")}</p>
					<ActButton act={discard}>{t("own.csr-discard")}</ActButton>
				</div>
			</details>
		</li>
	);
}

function Requests({ site, again }: { site: Site; again: () => void }) {
	const list = useLoad<CsrList>(path(site, "csr"));
	const [organization, setOrganization] = useState("");
	const [locality, setLocality] = useState("");
	const [state, setState] = useState("");
	const [country, setCountry] = useState("JP");
	const make = async () => {
		await call("POST", path(site, "csr"), { organization, locality, state, country: country.trim().toUpperCase() });
		list.again();
		again();
	};
	return (
		<section class="stack">
			<h3>{t("own.csr-title")}</h3>
			<p class="prose">{t("own.csr-what")}</p>
			<Field label={t("own.organization")} hint={t("own.organization-hint")} maxLength={64} autocomplete="organization" value={organization} set={setOrganization} />
			<Field label={t("own.locality")} maxLength={64} autocomplete="address-level2" value={locality} set={setLocality} />
			<Field label={t("own.state")} maxLength={64} autocomplete="address-level1" value={state} set={setState} />
			<Field label={t("own.country")} hint={t("own.country-hint")} maxLength={2} autocomplete="country" value={country} set={setCountry} />
			<ActButton act={make}>{t("own.csr-make")}</ActButton>
			<Screen of={list}>
				{(value) =>
					value.csrs.length > 0 && (
						<ul class="stack">
							{value.csrs.map((csr) => (
								<Request
									key={csr.id}
									site={site}
									csr={csr}
									set={(left) => {
										list.set(left);
										again();
									}}
								/>
							))}
						</ul>
					)
				}
			</Screen>
		</section>
	);
}

/* --- the file --- */

type File_ = { text: string; binary: string };

/** PEM files as text, one after the other; one of another form in base64. */
async function read(files: FileList): Promise<File_> {
	const found: File_ = { text: "", binary: "" };
	for (const file of Array.from(files)) {
		const bytes = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join("");
		if (bytes.includes("-----BEGIN ")) found.text += `${bytes}\n`;
		else found.binary = btoa(bytes);
	}
	return found;
}

function Verdict({ verdict }: { verdict: OwnVerdict }) {
	return (
		<div class="stack" aria-live="polite">
			{verdict.usable && (
				<Notice tone="ok" title={t("own.usable")}>
					<p>{t("own.usable-names", verdict.names.join(t("site.separator")))}</p>
					<p>{t("own.usable-until", verdict.issuer, verdict.not_after ? withDistance(verdict.not_after) : "")}</p>
					{verdict.completed && <p>{t("own.completed")}</p>}
				</Notice>
			)}
			{verdict.findings.map((finding) => (
				<Notice key={`${finding.cause} ${finding.subject}`} tone={finding.severity === "info" ? "idle" : "act"} title={both(finding.title)}>
					<p class="prose">{both(finding.explanation)}</p>
					{finding.who === "owner" && <Todo text={both(finding.action)} copy={finding.action.copy} />}
				</Notice>
			))}
		</div>
	);
}

const JUDGE_AFTER_MS = 400;

function Import({ page, again }: Doing) {
	const { site } = page;
	const [text, setText] = useState("");
	const [binary, setBinary] = useState("");
	const [password, setPassword] = useState("");
	const [takeover, setTakeover] = useState(true);
	const [verdict, setVerdict] = useState<OwnVerdict | null>(null);
	const [isTaken, setTaken] = useState(false);
	const body = { text, binary, password };
	const has = text.trim() !== "" || binary !== "";
	// What was typed last is judged; an answer about something older is not shown.
	useEffect(() => {
		setVerdict(null);
		if (!has) return;
		let isCurrent = true;
		const timer = setTimeout(() => {
			call<OwnVerdict>("POST", path(site, "own", "check"), body).then(
				(answer) => isCurrent && setVerdict(answer),
				() => isCurrent && setVerdict(null),
			);
		}, JUDGE_AFTER_MS);
		return () => {
			isCurrent = false;
			clearTimeout(timer);
		};
	}, [text, binary, password]);
	const take = async () => {
		await call("POST", path(site, "own"), { ...body, takeover });
		setText("");
		setBinary("");
		setPassword("");
		setTaken(true);
		again();
	};
	const choose = async (files: FileList | null) => {
		if (!files || files.length === 0) return;
		const found = await read(files);
		setText(found.text);
		setBinary(found.binary);
		setTaken(false);
	};
	return (
		<section class="stack">
			<h3>{t("own.file-title")}</h3>
			<p class="prose">{t("own.file-what")}</p>
			<div class="field">
				<label for="own-files">{t("own.files")}</label>
				<input id="own-files" type="file" multiple onChange={(event) => choose(event.currentTarget.files)} />
			</div>
			<Field lines label={t("own.text")} hint={t("own.text-hint")} maxLength={65536} value={text} set={(value) => (setText(value), setTaken(false))} />
			<Field label={t("own.password")} hint={t("own.password-hint")} type="password" autocomplete="off" maxLength={256} value={password} set={setPassword} />
			{verdict && <Verdict verdict={verdict} />}
			{isTaken && <Notice tone="run" title={t("own.taken")} />}
			<label class="row">
				<input type="checkbox" checked={takeover} onChange={(event) => setTakeover(event.currentTarget.checked)} />
				<span>{t("own.takeover")}</span>
			</label>
			<p class="soft">{t("own.before")}</p>
			{has ? <ActButton act={take}>{t("own.take")}</ActButton> : <p class="soft">{t("own.nothing-yet")}</p>}
		</section>
	);
}

export function OwnForms(doing: Doing) {
	const { site } = doing.page;
	return (
		<div class="stack">
			<p class="prose">{t("own.intro")}</p>
			{site.setting.source === "own" && <InUse {...doing} />}
			<Requests site={site} again={doing.again} />
			<Import {...doing} />
		</div>
	);
}
