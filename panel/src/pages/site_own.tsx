/*
 * A certificate of the owner's own: a request to buy one with, the file that came, judged before it is used, and the way back to free SSL.
 * A key that is in the file goes to the API and nowhere else, and is forgotten here once it was taken.
 */
import type { Csr, CsrList, OwnVerdict, Setting, Site } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call, expecting } from "../api";
import { ActButton } from "../components/button";
import { Copy } from "../components/copy";
import { Field, Tick } from "../components/field";
import { Form, useTold } from "../components/form";
import { Notice, Screen } from "../components/screen";
import { Todo } from "../components/todo";
import { day, moment, withDistance } from "../dates";
import { useLoad } from "../load";
import { judge, line, most, plain, type Rule } from "../rules";
import { useSubmit } from "../submit";
import { both, t } from "../words";
import type { Doing } from "./site";

const path = (site: Site, ...more: string[]) => at("sites", site.ascii, ...more);

/* --- in use --- */

async function agree(site: Site, takeover: boolean): Promise<void> {
	const change: Partial<Setting> = { takeover };
	const begun = await call<Site>("PUT", path(site, "draft"), change, expecting(site));
	await call("POST", path(site, "draft", "apply"), undefined, expecting(begun));
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
				<ActButton act={() => agree(site, !site.setting.takeover).finally(again)}>{t(site.setting.takeover ? "own.takeover-stop" : "own.takeover-start")}</ActButton>
			)}
			<p class="prose">{t("own.to-free-what")}</p>
			<ActButton act={() => call("DELETE", path(site, "own")).finally(again)}>{t("own.to-free")}</ActButton>
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

const SUBJECT_MAX = 64;
const letters = (country: string): string => plain(country).toUpperCase();
const isCountry: Rule = (value) => (/^([A-Z]{2})?$/.test(letters(value)) ? undefined : t("own.country-wrong"));

function Requests({ site, again }: { site: Site; again: () => void }) {
	const list = useLoad<CsrList>(path(site, "csr"));
	const [organization, setOrganization] = useState("");
	const [locality, setLocality] = useState("");
	const [state, setState] = useState("");
	const [country, setCountry] = useState("JP");
	const form = useSubmit();
	const submit = () => {
		const make = () => call("POST", path(site, "csr"), { organization, locality, state, country: letters(country) });
		const part = (value: string) => judge(value, most(SUBJECT_MAX), line);
		void form
			.run(make, { organization: part(organization), locality: part(locality), state: part(state), country: isCountry(country) })
			.then((isDone) => isDone && (list.again(), again()));
	};
	return (
		<section class="stack">
			<h3>{t("own.csr-title")}</h3>
			<p class="prose">{t("own.csr-what")}</p>
			<Form form={form} submit={submit} button={t("own.csr-make")}>
				<Field label={t("own.organization")} hint={t("own.organization-hint")} autocomplete="organization" value={organization} set={setOrganization} wrong={form.wrong.organization} />
				<Field label={t("own.locality")} autocomplete="address-level2" value={locality} set={setLocality} wrong={form.wrong.locality} />
				<Field label={t("own.state")} autocomplete="address-level1" value={state} set={setState} wrong={form.wrong.state} />
				<Field label={t("own.country")} hint={t("own.country-hint")} autocomplete="country" value={country} set={setCountry} wrong={form.wrong.country} />
			</Form>
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

type Read = { text: string; binaries: string[] };

/** PEM files as text, one after the other; one of another form in base64. */
async function read(files: FileList): Promise<Read> {
	const found: Read = { text: "", binaries: [] };
	for (const file of Array.from(files)) {
		const bytes = Array.from(new Uint8Array(await file.arrayBuffer()), (byte) => String.fromCharCode(byte)).join("");
		if (bytes.includes("-----BEGIN ")) found.text += `${bytes}\n`;
		else found.binaries.push(btoa(bytes));
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

function Files({ choose, wrong }: { choose: (files: FileList | null) => void; wrong?: string }) {
	const label = t("own.files");
	useTold("own-files", label, wrong);
	return (
		<div class="field">
			<label for="own-files">{label}</label>
			<input
				id="own-files"
				type="file"
				name="files"
				multiple
				aria-invalid={wrong ? true : undefined}
				aria-describedby={wrong ? "own-files-more" : undefined}
				onChange={(event) => choose(event.currentTarget.files)}
			/>
			{wrong && (
				<span class="wrong" id="own-files-more">
					{wrong}
				</span>
			)}
		</div>
	);
}

const JUDGE_AFTER_MS = 400;
const PEM_MAX = 65536;
const BINARY_MAX = 90000; // in base64
const BINARY_KB_MAX = 65;
const FILE_PASSWORD_MAX = 256;

function Import({ page, again }: Doing) {
	const { site } = page;
	const [text, setText] = useState("");
	const [binaries, setBinaries] = useState<string[]>([]);
	const [password, setPassword] = useState("");
	const [takeover, setTakeover] = useState(true);
	const [verdict, setVerdict] = useState<OwnVerdict | null>(null);
	const [isJudging, setJudging] = useState(false);
	const [isTaken, setTaken] = useState(false);
	const [isCompleted, setCompleted] = useState(false);
	const form = useSubmit();
	const binary = binaries[0] ?? "";
	const body = { text, binary, password };
	const isFit = binaries.length <= 1 && binary.length <= BINARY_MAX && [...text].length <= PEM_MAX && [...password].length <= FILE_PASSWORD_MAX;
	const has = text.trim() !== "" || binary !== "";
	// What was typed last is judged; an answer about something older is not shown.
	useEffect(() => {
		setVerdict(null);
		setJudging(false);
		if (!has || !isFit) return;
		let isCurrent = true;
		const told = (answer: OwnVerdict | null) => isCurrent && (setVerdict(answer), setJudging(false));
		const timer = setTimeout(() => {
			/* Where a part is missing, its issuer is asked for it, which takes a moment. */
			setJudging(true);
			call<OwnVerdict>("POST", path(site, "own", "check"), body).then(told, () => told(null));
		}, JUDGE_AFTER_MS);
		return () => {
			isCurrent = false;
			clearTimeout(timer);
		};
	}, [text, binaries, password]);
	const submit = async () => {
		const wrongs = {
			files: !has ? t("own.nothing-yet") : binaries.length > 1 ? t("own.files-many") : binary.length > BINARY_MAX ? t("own.files-big", BINARY_KB_MAX) : undefined,
			text: most(PEM_MAX)(text),
			password: most(FILE_PASSWORD_MAX)(password),
		};
		/* Of what was judged already it is known what it is about. */
		const blames = { INVALID: verdict?.key === "locked" ? "password" : text.trim() ? "text" : "files" };
		const isDone = await form.run(() => call("POST", path(site, "own"), { ...body, takeover }, expecting(site)), wrongs, blames);
		again();
		if (!isDone) return;
		setCompleted(verdict?.completed ?? false);
		setText("");
		setBinaries([]);
		setPassword("");
		setTaken(true);
	};
	const choose = async (files: FileList | null) => {
		if (!files || files.length === 0) return;
		const found = await read(files);
		if (found.text) setText(found.text);
		setBinaries(found.binaries);
		setTaken(false);
	};
	return (
		<section class="stack">
			<h3>{t("own.file-title")}</h3>
			<p class="prose">{t("own.file-what")}</p>
			<Form form={form} submit={submit} button={t("own.take")} look="wide">
				<Files choose={(files) => void choose(files)} wrong={form.wrong.files} />
				<Field lines label={t("own.text")} hint={t("own.text-hint")} value={text} set={(value) => (setText(value), setTaken(false))} wrong={form.wrong.text} />
				<Field label={t("own.password")} hint={t("own.password-hint")} type="password" autocomplete="off" value={password} set={setPassword} wrong={form.wrong.password} />
				{isJudging && (
					<p class="soft" role="status">
						{t("own.judging")}
					</p>
				)}
				{verdict && <Verdict verdict={verdict} />}
				{isTaken && (
					<Notice tone="run" title={t("own.taken")}>
						{isCompleted && <p>{t("own.completed")}</p>}
					</Notice>
				)}
				<Tick name="takeover" isOn={takeover} set={setTakeover}>
					{t("own.takeover")}
				</Tick>
				<p class="soft">{t("own.before")}</p>
			</Form>
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
